package delivery

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

var noon = time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)

var sameEndpoint = cmpopts.IgnoreUnexported(ledger.Endpoint{})

func TestBreaker(t *testing.T) {
	t.Parallel()
	const days = 24 * time.Hour
	auto, probe, manual := ledger.CauseAutomatic, ledger.CauseProbe, ledger.CauseManual
	well := ledger.Endpoint{State: ledger.EndpointClosed}
	failing := func(n int) ledger.Endpoint {
		return ledger.Endpoint{State: ledger.EndpointClosed, Failures: n, FailingSince: noon.Add(-time.Minute), FirstFailed: "evt_1"}
	}
	since := func(e ledger.Endpoint, d time.Duration) ledger.Endpoint { e.FailingSince = noon.Add(-d); return e }
	open := func(since time.Duration, probes, told int) ledger.Endpoint {
		e := failing(OpenAfter + probes)
		e.State, e.OpenedAt, e.Probes, e.Told = ledger.EndpointOpen, noon.Add(-since), probes, told
		e.ProbeAt, e.Probed, e.ProbesSince = noon.Add(ProbeEvery), "place", noon.Add(-since)
		return e
	}
	disabled := ledger.Endpoint{State: ledger.EndpointDisabled, DisabledAt: noon, DisabledReason: DisabledGone}
	with := func(e ledger.Endpoint, change func(*ledger.Endpoint)) ledger.Endpoint { change(&e); return e }
	back := ledger.Endpoint{State: ledger.EndpointDraining, ClosedAt: noon}
	stalls := func(e ledger.Endpoint, n int, since time.Duration) ledger.Endpoint {
		e.Stalled, e.StalledAt = n, noon.Add(-since)
		return e
	}
	const a, attempt = time.Second, webhook.Timeout
	for name, c := range map[string]struct {
		before ledger.Endpoint
		s      signal
		cause  ledger.Cause
		event  string
		after  ledger.Endpoint
		told   []Notice
	}{
		"well, succeeds":            {well, signalWell, auto, "evt_1", well, nil},
		"well, our fault":           {well, signalNone, auto, "evt_1", well, nil},
		"well, fails":               {well, signalFailed, auto, "evt_1", with(failing(1), func(e *ledger.Endpoint) { e.FailingSince = noon }), nil},
		"fails a third time":        {failing(2), signalFailed, auto, "evt_1", failing(3), nil},
		"fails a fourth time":       {failing(3), signalFailed, auto, "evt_2", failing(4), []Notice{NoticeFailing}},
		"recovers untold":           {failing(3), signalWell, auto, "evt_1", well, nil},
		"recovers told":             {failing(4), signalWell, auto, "evt_1", well, []Notice{NoticeRecovered}},
		"one event fails soon":      {failing(OpenAfter + 3), signalFailed, auto, "evt_1", failing(OpenAfter + 4), nil},
		"one event fails, 5 times":  {since(failing(OpenAlone-2), aloneFor), signalFailed, auto, "evt_1", since(failing(OpenAlone-1), aloneFor), nil},
		"one event fails, too soon": {since(failing(OpenAlone-1), aloneFor-1), signalFailed, auto, "evt_1", since(failing(OpenAlone), aloneFor-1), nil},
		"one event fails for long": {since(failing(OpenAlone-1), aloneFor), signalFailed, auto, "evt_1", with(since(failing(OpenAlone), aloneFor), func(e *ledger.Endpoint) {
			e.State, e.OpenedAt, e.ProbeAt = ledger.EndpointOpen, noon, noon.Add(firstProbe)
		}), []Notice{NoticeOpened}},
		"nine failures": {failing(OpenAfter - 2), signalFailed, auto, "evt_2", failing(OpenAfter - 1), nil},
		"ten failures":  {failing(OpenAfter - 1), signalFailed, auto, "evt_2", with(open(0, 0, 0), func(e *ledger.Endpoint) { e.ProbeAt, e.Probed, e.ProbesSince = noon.Add(firstProbe), "", time.Time{} }), []Notice{NoticeOpened}},
		"ten failures, a relapse": {with(failing(OpenAfter-1), func(e *ledger.Endpoint) { e.ClosedAt = noon.Add(-relapse + 1) }), signalFailed, auto, "evt_2", with(open(0, 5, 0), func(e *ledger.Endpoint) {
			e.Failures, e.ClosedAt, e.Probed, e.ProbesSince = OpenAfter, noon.Add(-relapse+1), "", time.Time{}
		}), []Notice{NoticeOpened}},
		"drained, fails":            {back, signalFailed, auto, "evt_1", with(back, func(e *ledger.Endpoint) { e.Failures, e.FailingSince, e.FirstFailed = 1, noon, "evt_1" }), nil},
		"410":                       {well, signalGone, auto, "evt_1", disabled, []Notice{NoticeDisabled}},
		"410 to what was asked for": {well, signalGone, manual, "evt_1", disabled, []Notice{NoticeDisabled}},
		"open, a probe fails":       {open(time.Hour, 1, 0), signalFailed, probe, "evt_3", with(open(time.Hour, 2, 0), func(e *ledger.Endpoint) { e.ProbeAt = noon.Add(2 * time.Minute) }), nil},
		"open, one more fails":      {open(time.Hour, 1, 0), signalFailed, auto, "evt_3", open(time.Hour, 1, 0), nil},
		"open, asked for, fails":    {open(time.Hour, 1, 0), signalNone, manual, "evt_3", open(time.Hour, 1, 0), nil},
		"open, our fault":           {open(time.Hour, 1, 0), signalNone, probe, "evt_3", open(time.Hour, 1, 0), nil},
		"open, a probe succeeds":    {open(time.Hour, 1, 0), signalWell, probe, "evt_3", back, []Notice{NoticeRecovered}},
		"open, asked for, succeeds": {open(time.Hour, 1, 0), signalWell, manual, "evt_3", back, []Notice{NoticeRecovered}},
		"open, 410": {open(time.Hour, 1, 0), signalGone, probe, "evt_3", with(open(time.Hour, 1, 0), func(e *ledger.Endpoint) {
			e.State, e.DisabledAt, e.DisabledReason, e.ProbeAt, e.Probed = ledger.EndpointDisabled, noon, DisabledGone, time.Time{}, ""
		}), []Notice{NoticeDisabled}},
		"open, the first probe fails": {with(open(30*days, 0, 0), func(e *ledger.Endpoint) { e.ProbesSince = time.Time{} }), signalFailed, probe, "evt_3",
			with(open(30*days, 1, 0), func(e *ledger.Endpoint) { e.ProbesSince, e.ProbeAt = noon, noon.Add(time.Minute) }), nil},
		"five days, few probes": {open(5*days, DisableProbes-2, 90), signalFailed, probe, "evt_3", open(5*days, DisableProbes-1, 90), nil},
		"half of the way":       {open(DisableAfter/2, 199, 0), signalFailed, probe, "evt_3", open(DisableAfter/2, 200, 50), []Notice{NoticeOnTheWay}},
		"a little later":        {open(DisableAfter/2+time.Minute, 199, 50), signalFailed, probe, "evt_3", open(DisableAfter/2+time.Minute, 200, 50), nil},
		"just before":           {open(5*days-1, 199, 90), signalFailed, probe, "evt_3", open(5*days-1, 200, 90), nil},
		"five days": {open(5*days, 199, 90), signalFailed, probe, "evt_3", with(open(5*days, 200, 100), func(e *ledger.Endpoint) {
			e.State, e.DisabledAt, e.DisabledReason, e.ProbeAt, e.Probed = ledger.EndpointDisabled, noon, DisabledFailing, time.Time{}, ""
		}), []Notice{NoticeOnTheWay, NoticeDisabled}},
		"left waiting":               {well, signalStall, auto, "evt_1", stalls(well, 1, 0), nil},
		"left waiting again":         {stalls(well, 1, a), signalStall, auto, "evt_2", stalls(well, 2, a), nil},
		"left waiting long after":    {stalls(well, 3, attempt), signalStall, auto, "evt_2", stalls(well, 1, 0), nil},
		"left waiting by a clock":    {stalls(well, 3, -a), signalStall, auto, "evt_2", stalls(well, 1, 0), nil},
		"strained, left waiting":     {stalls(well, strainedBy, a), signalStall, auto, "evt_5", stalls(well, strainedBy, a), nil},
		"strained, succeeds":         {stalls(well, strainedBy, a), signalWell, auto, "evt_1", well, nil},
		"strained, answers 500":      {stalls(failing(1), strainedBy, a), signalFailed, auto, "evt_1", failing(2), nil},
		"not strained, no answer":    {stalls(failing(1), strainedBy-1, a), signalSilent, auto, "evt_2", stalls(failing(2), strainedBy-1, a), nil},
		"strained before, no answer": {stalls(failing(1), strainedBy, attempt), signalSilent, auto, "evt_2", stalls(failing(2), strainedBy, attempt), nil},
		"strained, no answer": {stalls(failing(1), strainedBy, attempt-1), signalSilent, auto, "evt_1", with(failing(2), func(e *ledger.Endpoint) {
			e.State, e.OpenedAt, e.ProbeAt = ledger.EndpointOpen, noon, noon.Add(firstProbe)
		}), []Notice{NoticeOpened}},
		"open, left waiting":     {open(time.Hour, 1, 0), signalStall, manual, "evt_3", stalls(open(time.Hour, 1, 0), 1, 0), nil},
		"open, a probe waits":    {open(time.Hour, 1, 0), signalStall, probe, "evt_3", open(time.Hour, 1, 0), nil},
		"open, a silent probe":   {open(time.Hour, 1, 0), signalSilent, probe, "evt_3", with(open(time.Hour, 2, 0), func(e *ledger.Endpoint) { e.ProbeAt = noon.Add(2 * time.Minute) }), nil},
		"disabled, left waiting": {disabled, signalStall, auto, "evt_3", disabled, nil},
		"disabled, succeeds":     {disabled, signalWell, auto, "evt_3", disabled, nil},
		"disabled, fails":        {disabled, signalFailed, auto, "evt_3", disabled, nil},
		"disabled, 410":          {disabled, signalGone, auto, "evt_3", disabled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, told := observe(c.before, c.s, c.cause, c.event, noon)
			if diff := cmp.Diff(c.after, after, sameEndpoint); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !slices.Equal(told, c.told) {
				t.Errorf("told %v, want %v", told, c.told)
			}
		})
	}
}

func TestSignalOf(t *testing.T) {
	t.Parallel()
	for reason, want := range map[Reason]signal{
		ReasonAccepted: signalWell, ReasonAborted: signalWell, ReasonGone: signalGone, ReasonOurs: signalNone,
		ReasonRedirected: signalFailed, ReasonUnavailable: signalFailed, ReasonRefused: signalFailed, ReasonNetwork: signalSilent,
	} {
		for _, cause := range []ledger.Cause{ledger.CauseAutomatic, ledger.CauseProbe, ledger.CauseManual} {
			want := want
			if (want == signalFailed || want == signalSilent) && cause == ledger.CauseManual {
				want = signalNone // a person's attempt is not held against it
			}
			if got := signalOf(Next{Reason: reason}, cause); got != want {
				t.Errorf("%s, %s: %s, want %s", reason, cause, got, want)
			}
			if got := signalOf(Next{Reason: ReasonGone, Step: StepExhausted}, cause); got != signalWell {
				t.Errorf("gone for one payment, %s: %s", cause, got)
			}
		}
	}
}

// An endpoint that stays dead is probed no more than MaxProbesADay times in
// any day, however often the sweeper looks.
func TestProbesADay(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{time.Second, 7 * time.Second, time.Minute, 90 * time.Second} {
		t.Run(every.String(), func(t *testing.T) {
			t.Parallel()
			e := ledger.Endpoint{State: ledger.EndpointClosed}
			for i := range OpenAfter {
				e, _ = observe(e, signalFailed, ledger.CauseAutomatic, fmt.Sprint(i), noon)
			}
			var probes []time.Time
			for now := noon; e.State == ledger.EndpointOpen; now = now.Add(every) {
				if !mayProbe(e, now) {
					continue
				}
				probes = append(probes, now)
				e, _ = observe(probed(e, "evt", "place", now), signalFailed, ledger.CauseProbe, "evt", now.Add(time.Second))
			}
			first := 0
			for i, at := range probes {
				for at.Sub(probes[first]) >= 24*time.Hour {
					first++
				}
				if n := i + 1 - first; n > MaxProbesADay {
					t.Fatalf("%d probes in the day to %s", n, at)
				}
			}
			if e.State != ledger.EndpointDisabled || len(probes) < 4*200 {
				t.Errorf("%s after %d probes", e.State, len(probes))
			}
		})
	}
}

// FuzzBreaker holds every sequence of attempts to what must be true of an
// endpoint after each.
func FuzzBreaker(f *testing.F) {
	f.Add([]byte("\x01\x11\x21\x31\x01\x11\x21\x31\x01\x11\x21\x02"))
	f.Add([]byte{0x03, 0xff, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, steps []byte) {
		e := ledger.Endpoint{State: ledger.EndpointClosed}
		now := noon
		for _, b := range steps {
			s := []signal{signalNone, signalFailed, signalWell, signalGone}[b&3]
			if b>>4&3 == 0 { // soon after the one before
				s = []signal{signalStall, signalSilent, signalWell, signalGone}[b&3]
			}
			cause := []ledger.Cause{ledger.CauseAutomatic, ledger.CauseProbe, ledger.CauseManual, ledger.CauseAutomatic}[b>>2&3]
			if cause == ledger.CauseManual && (s == signalFailed || s == signalSilent) || cause == ledger.CauseProbe && s == signalStall {
				s = signalNone // signalOf, watch
			}
			event := fmt.Sprint(b >> 6)
			now = now.Add(time.Duration(b>>4&3) * 11 * time.Hour)
			before := e
			if mayProbe(e, now) {
				e = probed(e, event, "place", now)
			}
			after, told := observe(e, s, cause, event, now)
			changed := after != e
			switch {
			case before.State == ledger.EndpointDisabled && changed:
				t.Fatalf("a disabled endpoint changed: %+v to %+v", e, after)
			case s == signalNone && (changed || told != nil):
				t.Fatalf("nothing was said and it changed: %+v to %+v", e, after)
			case after.State == ledger.EndpointOpen && before.State != ledger.EndpointOpen && after.Failures < OpenAlone && !(s == signalSilent && strained(before, now)):
				t.Fatalf("opened after %d failures", after.Failures)
			case after.State == ledger.EndpointOpen && (after.OpenedAt.IsZero() || after.ProbeAt.IsZero() || after.ProbeAt.Sub(now) > ProbeEvery):
				t.Fatalf("open, and the next probe is never: %+v", after)
			case after.State == ledger.EndpointDisabled && (after.DisabledReason == "" || after.DisabledAt.IsZero()):
				t.Fatalf("disabled for nothing: %+v", after)
			case after.State == ledger.EndpointDisabled && before.State != ledger.EndpointDisabled && !slices.Contains(told, NoticeDisabled):
				t.Fatal("disabled and nobody was told")
			case after.State == ledger.EndpointDisabled && after.DisabledReason == DisabledFailing && (now.Sub(after.ProbesSince) < DisableAfter || after.Probes < DisableProbes):
				t.Fatalf("disabled %s and %d probes after the first failed", now.Sub(after.ProbesSince), after.Probes)
			case s == signalWell && after.State != ledger.EndpointDisabled && (after.Blocked() || after.Failures != 0):
				t.Fatalf("it succeeded and is %s with %d failures", after.State, after.Failures)
			case after.Probing != "" && after.State != ledger.EndpointOpen:
				t.Fatalf("a probe of an endpoint that is %s", after.State)
			}
			e = after
		}
	})
}
