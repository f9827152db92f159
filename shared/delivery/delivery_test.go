package delivery

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
)

// What is kept of the attempts is bounded, and the latest is kept in full.
func TestAttemptsAreKept(t *testing.T) {
	t.Parallel()
	d := Delivery{Reference: "r", Sequence: 2, State: Due}
	for n := 1; n <= KeptAttempts+3; n++ {
		d = d.Claim(noon).After(Attempt{Cause: CauseProbe, Code: 500, Excerpt: fmt.Sprint(n, strings.Repeat("é", 2000))}, Next{Step: StepKeep}, noon)
		if d.Last().Number != n || d.Last().Sequence != 2 || d.Last().Reference != "r" {
			t.Fatalf("%+v", d.Last())
		}
	}
	if len(d.Latest) != KeptAttempts || d.Latest[0].Number != 4 || d.Claims != KeptAttempts+3 {
		t.Errorf("%d kept from %d on, of %d", len(d.Latest), d.Latest[0].Number, d.Claims)
	}
	for i, a := range d.Latest {
		most := shortExcerpt
		if i == len(d.Latest)-1 {
			most = fullExcerpt
		}
		if n := len(strings.TrimSuffix(a.Excerpt, "…")); n > most || n < most-1 {
			t.Errorf("attempt %d keeps %d bytes; want %d", a.Number, n, most)
		}
	}
}

// From every state that can be reached, an event reaches its app or is parked
// where there is a way out: whatever happens on the way, an app and an operator
// that behave from now on end it as delivered.
func TestEveryStateHasAWayOut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		now := noon
		p := payment.Payment{Reference: "11111111-1111-4111-8111-111111111111", ClientID: "cli", UpdatedAt: now}
		d := New(p, payment.EventSuccessful, 1+random.IntN(2), "{}")
		e := Endpoint{ClientID: "cli", Origin: "https://x:443", State: EndpointClosed}
		var path []string
		step := func(name string, next Delivery) { d = next; path = append(path, name) }
		for range random.IntN(40) {
			now = now.Add(time.Duration(random.IntN(7200)) * time.Second)
			switch random.IntN(7) {
			case 0, 1, 2:
				cause := d.Cause()
				if cause == "" {
					continue
				}
				o := Outcome{Code: []int{200, 302, 404, 410, 429, 500}[random.IntN(6)], OwnURL: random.IntN(2) == 0,
					Charged: d.Attempts, Free: d.Claims - d.Attempts - d.OffSchedule, OffSchedule: cause != CauseAutomatic}
				next := Decide(o, now, random.Float64())
				e, _ = e.Observe(SignalOf(next, cause), cause, d.EventID, now)
				step(fmt.Sprint(cause, o.Code), d.Claim(now).After(Attempt{Cause: cause, Code: o.Code}, next, now))
			case 3:
				step("hold", d.Hold(HeldNoURL))
			case 4:
				if e.Blocked() && !d.State.Parked() {
					step("hold for", d.HoldFor(e))
				}
			case 5:
				if next, err := d.Resend(now); err == nil {
					step("resend", next)
				}
			case 6:
				if d.Cause() == CauseAutomatic {
					step("postpone", d.Postpone(now.Add(time.Minute)))
				}
			}
			if d.Attempts > MaxAttempts {
				t.Fatalf("seed %d: %d attempts: %v", seed, d.Attempts, path)
			}
		}
		// The way out.
		now = now.Add(time.Hour)
		if d.HeldForEndpoint() {
			d = d.Release(now)
		}
		if d.State == Waiting {
			d = d.Claim(now)
			d.LeaseUntil = time.Time{}
		}
		if d.State.Parked() && d.RequestedAt.IsZero() {
			var err error
			if d, err = d.Resend(now); err != nil {
				t.Fatalf("seed %d: %s has no way out: %v: %v", seed, d.State, err, path)
			}
		}
		if d.DueAt().IsZero() || d.Cause() == "" {
			t.Fatalf("seed %d: nobody looks at it: %+v: %v", seed, d, path)
		}
		cause := d.Cause()
		delivered := d.State == Delivered
		d = d.Claim(now).After(Attempt{Cause: cause, Code: 200}, Decide(Outcome{Code: 200, OffSchedule: cause != CauseAutomatic}, now, 0), now)
		if d.State != Delivered || d.DeliveredAt.IsZero() || !delivered && !d.DueAt().IsZero() || d.HeldReason != "" || !d.LeaseUntil.IsZero() {
			t.Fatalf("seed %d: %+v: %v", seed, d, path)
		}
	}
}

// What is counted of an attempt: every claim, what its schedule is charged, what
// was beside the schedule, and what a person asked for.
func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	for cause, want := range map[Cause][4]int{
		CauseAutomatic: {1, 1, 0, 0}, CauseProbe: {1, 1, 1, 0}, CauseManual: {1, 1, 1, 1},
	} {
		d := Delivery{State: Due}
		if d.Last() != (Attempt{}) {
			t.Errorf("before any attempt: %+v", d.Last())
		}
		d = d.Claim(noon).After(Attempt{Cause: cause, Code: 500}, Next{Step: StepRetry, At: noon.Add(time.Minute), Charged: true}, noon)
		if got := [4]int{d.Claims, d.Attempts, d.OffSchedule, d.Resends}; got != want {
			t.Errorf("%s: %v, want %v", cause, got, want)
		}
		if free := d.Claim(noon).After(Attempt{Cause: cause}, Next{Step: StepRetry, At: noon}, noon); free.Attempts != 1 {
			t.Errorf("%s: %d attempts charged after one that was free", cause, free.Attempts)
		}
	}
}

// An endpoint that is gone leaves an automatic attempt's delivery due by its
// schedule, and one that was off the schedule as it was.
func TestAfterGone(t *testing.T) {
	t.Parallel()
	at := noon.Add(time.Hour)
	for cause, want := range map[Cause]time.Time{CauseAutomatic: stamp(noon.Add(Wait(4, 0.5))), CauseProbe: at, CauseManual: at} {
		d := Delivery{State: Due, Attempts: 2, NextAttemptAt: at}.After(Attempt{Cause: cause}, Next{Step: StepGone, Charged: true}, noon)
		if d.State != Due || !d.NextAttemptAt.Equal(want) {
			t.Errorf("%s: %s at %s, want due at %s", cause, d.State, d.NextAttemptAt, want)
		}
	}
}

// What is under way, or requested already, or waits is not requested again.
func TestResend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		d        Delivery
		underway bool
		released bool
	}{
		"due":                   {Delivery{State: Due}, false, false},
		"delivered":             {Delivery{State: Delivered}, false, false},
		"exhausted":             {Delivery{State: Exhausted}, false, false},
		"waiting":               {Delivery{State: Waiting}, true, false},
		"requested":             {Delivery{State: Due, RequestedAt: noon}, true, false},
		"leased":                {Delivery{State: Due, LeaseUntil: noon.Add(1)}, true, false},
		"lease over":            {Delivery{State: Due, LeaseUntil: noon}, false, false},
		"held for its endpoint": {Delivery{State: Held, Endpoint: "https://a"}, false, false},
		"held for an operator":  {Delivery{State: Held, HeldReason: "r"}, false, true},
	} {
		after, err := c.d.Resend(noon)
		if (err != nil) != c.underway || err == nil && (after.RequestedAt.IsZero() != c.released || c.released != (after.State != c.d.State)) {
			t.Errorf("%s: %+v, %v", name, after, err)
		}
	}
}

// The first event is due at once; a later one waits for those before it.
func TestNew(t *testing.T) {
	t.Parallel()
	p := payment.Payment{Reference: "ref", ClientID: "cli", CallbackURL: "https://shop.example.com/1", UpdatedAt: attemptedAt}
	for sequence, state := range map[int]State{1: Due, 2: Waiting, 3: Waiting} {
		d := New(p, payment.EventSuccessful, sequence, "{}")
		if d.State != state || d.Sequence != sequence || !d.NextAttemptAt.Equal(attemptedAt) || d.URL != p.CallbackURL {
			t.Errorf("event %d: %+v", sequence, d)
		}
	}
}

// An event waits for an earlier one that continues by itself, and for no other.
func TestFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first Delivery
		waits bool
	}{
		"due": {Delivery{State: Due}, true}, "waiting": {Delivery{State: Waiting}, true},
		"held for its endpoint": {Delivery{State: Held, Endpoint: "https://x:443"}, true},
		"held for an operator":  {Delivery{State: Held, HeldReason: HeldNoURL}, false},
		"exhausted":             {Delivery{State: Exhausted}, false}, "delivered": {Delivery{State: Delivered}, false},
	} {
		c.first.Sequence = 1
		all := []Delivery{c.first, {Sequence: 2, State: Waiting}}
		d, before, ok := Find(all, 2)
		if !ok || d.Sequence != 2 || (before != nil) != c.waits {
			t.Errorf("%s: %v %v", name, before, ok)
		}
	}
	if _, _, ok := Find(nil, 1); ok {
		t.Error("found nothing")
	}
	if next := Following([]Delivery{{Sequence: 1, State: Due}, {Sequence: 2, State: Delivered}, {Sequence: 3, State: Waiting, NextAttemptAt: noon}}, 1); next == nil || next.Sequence != 3 || !next.NextAttemptAt.IsZero() {
		t.Errorf("%+v", next)
	}
}
