package delivery

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 6, 12, 0, 0, 0, time.UTC)

func TestBreaker(t *testing.T) {
	t.Parallel()
	const days = 24 * time.Hour
	auto, probe, manual := CauseAutomatic, CauseProbe, CauseManual
	well := Endpoint{State: EndpointClosed}
	failing := func(n int) Endpoint {
		return Endpoint{State: EndpointClosed, Failures: n, FailingSince: noon.Add(-time.Minute), FirstFailed: "evt_1"}
	}
	since := func(e Endpoint, d time.Duration) Endpoint { e.FailingSince = noon.Add(-d); return e }
	open := func(since time.Duration, probes, told int) Endpoint {
		e := failing(OpenAfter + probes)
		e.State, e.OpenedAt, e.Probes, e.NotifiedPercent = EndpointOpen, noon.Add(-since), probes, told
		e.ProbeAt, e.Probed, e.ProbesSince = noon.Add(ProbeEvery), "place", noon.Add(-since)
		return e
	}
	disabled := Endpoint{State: EndpointDisabled, DisabledAt: noon, DisabledReason: DisabledGone}
	with := func(e Endpoint, change func(*Endpoint)) Endpoint { change(&e); return e }
	back := Endpoint{State: EndpointDraining, ClosedAt: noon}
	for name, c := range map[string]struct {
		before Endpoint
		s      Signal
		cause  Cause
		event  string
		after  Endpoint
		told   []Notice
	}{
		"well, succeeds":            {well, SignalWell, auto, "evt_1", well, nil},
		"well, our fault":           {well, SignalNone, auto, "evt_1", well, nil},
		"well, fails":               {well, SignalFailed, auto, "evt_1", with(failing(1), func(e *Endpoint) { e.FailingSince = noon }), nil},
		"fails a third time":        {failing(2), SignalFailed, auto, "evt_1", failing(3), nil},
		"fails a fourth time":       {failing(3), SignalFailed, auto, "evt_2", failing(4), []Notice{NoticeFailing}},
		"recovers untold":           {failing(3), SignalWell, auto, "evt_1", well, nil},
		"recovers told":             {failing(4), SignalWell, auto, "evt_1", well, []Notice{NoticeRecovered}},
		"one event fails soon":      {failing(OpenAfter + 3), SignalFailed, auto, "evt_1", failing(OpenAfter + 4), nil},
		"one event fails, 5 times":  {since(failing(OpenAlone-2), aloneFor), SignalFailed, auto, "evt_1", since(failing(OpenAlone-1), aloneFor), nil},
		"one event fails, too soon": {since(failing(OpenAlone-1), aloneFor-1), SignalFailed, auto, "evt_1", since(failing(OpenAlone), aloneFor-1), nil},
		"one event fails for long": {since(failing(OpenAlone-1), aloneFor), SignalFailed, auto, "evt_1", with(since(failing(OpenAlone), aloneFor), func(e *Endpoint) {
			e.State, e.OpenedAt, e.ProbeAt = EndpointOpen, noon, noon.Add(firstProbe)
		}), []Notice{NoticeOpened}},
		"nine failures": {failing(OpenAfter - 2), SignalFailed, auto, "evt_2", failing(OpenAfter - 1), nil},
		"ten failures":  {failing(OpenAfter - 1), SignalFailed, auto, "evt_2", with(open(0, 0, 0), func(e *Endpoint) { e.ProbeAt, e.Probed, e.ProbesSince = noon.Add(firstProbe), "", time.Time{} }), []Notice{NoticeOpened}},
		"ten failures, a relapse": {with(failing(OpenAfter-1), func(e *Endpoint) { e.ClosedAt = noon.Add(-relapse + 1) }), SignalFailed, auto, "evt_2", with(open(0, 5, 0), func(e *Endpoint) {
			e.Failures, e.ClosedAt, e.Probed, e.ProbesSince = OpenAfter, noon.Add(-relapse+1), "", time.Time{}
		}), []Notice{NoticeOpened}},
		"drained, fails":            {back, SignalFailed, auto, "evt_1", with(back, func(e *Endpoint) { e.Failures, e.FailingSince, e.FirstFailed = 1, noon, "evt_1" }), nil},
		"410":                       {well, SignalGone, auto, "evt_1", disabled, []Notice{NoticeDisabled}},
		"410 to what was asked for": {well, SignalGone, manual, "evt_1", disabled, []Notice{NoticeDisabled}},
		"open, a probe fails":       {open(time.Hour, 1, 0), SignalFailed, probe, "evt_3", with(open(time.Hour, 2, 0), func(e *Endpoint) { e.ProbeAt = noon.Add(2 * time.Minute) }), nil},
		"open, one more fails":      {open(time.Hour, 1, 0), SignalFailed, auto, "evt_3", open(time.Hour, 1, 0), nil},
		"open, asked for, fails":    {open(time.Hour, 1, 0), SignalNone, manual, "evt_3", open(time.Hour, 1, 0), nil},
		"open, our fault":           {open(time.Hour, 1, 0), SignalNone, probe, "evt_3", open(time.Hour, 1, 0), nil},
		"open, a probe succeeds":    {open(time.Hour, 1, 0), SignalWell, probe, "evt_3", back, []Notice{NoticeRecovered}},
		"open, asked for, succeeds": {open(time.Hour, 1, 0), SignalWell, manual, "evt_3", back, []Notice{NoticeRecovered}},
		"open, 410": {open(time.Hour, 1, 0), SignalGone, probe, "evt_3", with(open(time.Hour, 1, 0), func(e *Endpoint) {
			e.State, e.DisabledAt, e.DisabledReason, e.ProbeAt, e.Probed = EndpointDisabled, noon, DisabledGone, time.Time{}, ""
		}), []Notice{NoticeDisabled}},
		"open, the first probe fails": {with(open(30*days, 0, 0), func(e *Endpoint) { e.ProbesSince = time.Time{} }), SignalFailed, probe, "evt_3",
			with(open(30*days, 1, 0), func(e *Endpoint) { e.ProbesSince, e.ProbeAt = noon, noon.Add(time.Minute) }), nil},
		"five days, few probes": {open(5*days, DisableProbes-2, 90), SignalFailed, probe, "evt_3", open(5*days, DisableProbes-1, 90), nil},
		"half of the way":       {open(DisableAfter/2, 199, 0), SignalFailed, probe, "evt_3", open(DisableAfter/2, 200, 50), []Notice{NoticeOnTheWay}},
		"a little later":        {open(DisableAfter/2+time.Minute, 199, 50), SignalFailed, probe, "evt_3", open(DisableAfter/2+time.Minute, 200, 50), nil},
		"just before":           {open(5*days-1, 199, 90), SignalFailed, probe, "evt_3", open(5*days-1, 200, 90), nil},
		"five days": {open(5*days, 199, 90), SignalFailed, probe, "evt_3", with(open(5*days, 200, 100), func(e *Endpoint) {
			e.State, e.DisabledAt, e.DisabledReason, e.ProbeAt, e.Probed = EndpointDisabled, noon, DisabledFailing, time.Time{}, ""
		}), []Notice{NoticeOnTheWay, NoticeDisabled}},
		"disabled, succeeds": {disabled, SignalWell, auto, "evt_3", disabled, nil},
		"disabled, fails":    {disabled, SignalFailed, auto, "evt_3", disabled, nil},
		"disabled, 410":      {disabled, SignalGone, auto, "evt_3", disabled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after, told := c.before.Observe(c.s, c.cause, c.event, noon)
			if diff := cmp.Diff(c.after, after); diff != "" {
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
	for reason, want := range map[Reason]Signal{
		ReasonAccepted: SignalWell, ReasonAborted: SignalWell, ReasonGone: SignalGone, ReasonOurs: SignalNone,
		ReasonRedirected: SignalFailed, ReasonUnavailable: SignalFailed, ReasonRefused: SignalFailed, ReasonNetwork: SignalFailed,
	} {
		for _, cause := range []Cause{CauseAutomatic, CauseProbe, CauseManual} {
			want := want
			if want == SignalFailed && cause == CauseManual {
				want = SignalNone // a person's attempt is not held against it
			}
			if got := SignalOf(Next{Reason: reason}, cause); got != want {
				t.Errorf("%s, %s: %s, want %s", reason, cause, got, want)
			}
			if got := SignalOf(Next{Reason: ReasonGone, Step: StepExhausted}, cause); got != SignalWell {
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
			e := Endpoint{State: EndpointClosed}
			for i := range OpenAfter {
				e, _ = e.Observe(SignalFailed, CauseAutomatic, fmt.Sprint(i), noon)
			}
			var probes []time.Time
			for now := noon; e.State == EndpointOpen && now.Sub(noon) < 2*DisableAfter; now = now.Add(every) {
				if !e.ProbeDue(now) {
					continue
				}
				probes = append(probes, now)
				e, _ = e.BeginProbe("evt", "place", now).Observe(SignalFailed, CauseProbe, "evt", now.Add(time.Second))
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
			if e.State != EndpointDisabled || len(probes) < 4*200 {
				t.Errorf("%s after %d probes", e.State, len(probes))
			}
		})
	}
}

// A probe is due from its time on, and when that time is further away than any
// wait.
func TestProbeDue(t *testing.T) {
	t.Parallel()
	for wait, due := range map[time.Duration]bool{
		-time.Hour: true, 0: true, 1: false, ProbeEvery: false, ProbeEvery + 1: true,
	} {
		e := Endpoint{State: EndpointOpen, ProbeAt: noon.Add(wait)}
		if got := e.ProbeDue(noon); got != due {
			t.Errorf("%s away: due %t", wait, got)
		}
		if e.State = EndpointDraining; e.ProbeDue(noon) {
			t.Errorf("%s away: an endpoint that drains is probed", wait)
		}
	}
}

// An endpoint that fails again soon after it came back is probed rarely at
// once; later it is a new failure.
func TestRelapse(t *testing.T) {
	t.Parallel()
	for since, first := range map[time.Duration]time.Duration{
		time.Second: ProbeEvery, relapse - 1: ProbeEvery, relapse: firstProbe, 24 * time.Hour: firstProbe,
	} {
		e := Endpoint{State: EndpointOpen}.Reopen(noon)
		for i := range OpenAfter {
			e, _ = e.Observe(SignalFailed, CauseAutomatic, fmt.Sprint(i), noon.Add(since))
		}
		if got := e.ProbeAt.Sub(noon.Add(since)); e.State != EndpointOpen || got != first {
			t.Errorf("%s after it came back: %s, probed after %s, want %s", since, e.State, got, first)
		}
	}
	if relapse != 30*time.Minute {
		t.Errorf("a relapse is within %s", relapse)
	}
}

// FuzzBreaker holds every sequence of attempts to what must be true of an
// endpoint after each.
func FuzzBreaker(f *testing.F) {
	f.Add([]byte("\x01\x11\x21\x31\x01\x11\x21\x31\x01\x11\x21\x02"))
	f.Add([]byte{0x03, 0xff, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, steps []byte) {
		e := Endpoint{State: EndpointClosed}
		now := noon
		for _, b := range steps {
			s := []Signal{SignalNone, SignalFailed, SignalWell, SignalGone}[b&3]
			cause := []Cause{CauseAutomatic, CauseProbe, CauseManual, CauseAutomatic}[b>>2&3]
			if cause == CauseManual && s == SignalFailed {
				s = SignalNone // SignalOf
			}
			event := fmt.Sprint(b >> 6)
			now = now.Add(time.Duration(b>>4&3) * 11 * time.Hour)
			before := e
			if e.ProbeDue(now) {
				e = e.BeginProbe(event, "place", now)
			}
			after, told := e.Observe(s, cause, event, now)
			changed := after != e
			switch {
			case before.State == EndpointDisabled && changed:
				t.Fatalf("a disabled endpoint changed: %+v to %+v", e, after)
			case s == SignalNone && (changed || told != nil):
				t.Fatalf("nothing was said and it changed: %+v to %+v", e, after)
			case after.State == EndpointOpen && before.State != EndpointOpen && after.Failures < OpenAlone:
				t.Fatalf("opened after %d failures", after.Failures)
			case after.State == EndpointOpen && (after.OpenedAt.IsZero() || after.ProbeAt.IsZero() || after.ProbeAt.Sub(now) > ProbeEvery):
				t.Fatalf("open, and the next probe is never: %+v", after)
			case after.State == EndpointDisabled && (after.DisabledReason == "" || after.DisabledAt.IsZero()):
				t.Fatalf("disabled for nothing: %+v", after)
			case after.State == EndpointDisabled && before.State != EndpointDisabled && !slices.Contains(told, NoticeDisabled):
				t.Fatal("disabled and nobody was told")
			case after.State == EndpointDisabled && after.DisabledReason == DisabledFailing && (now.Sub(after.ProbesSince) < DisableAfter || after.Probes < DisableProbes):
				t.Fatalf("disabled %s and %d probes after the first failed", now.Sub(after.ProbesSince), after.Probes)
			case s == SignalWell && after.State != EndpointDisabled && (after.Blocked() || after.Failures != 0):
				t.Fatalf("it succeeded and is %s with %d failures", after.State, after.Failures)
			case after.Probing != "" && after.State != EndpointOpen:
				t.Fatalf("a probe of an endpoint that is %s", after.State)
			}
			e = after
		}
	})
}
