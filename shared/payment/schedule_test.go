package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
)

// policy is MTN's.
var policy = payment.Policy{
	FirstCheck:      10 * time.Second,
	MaxInterval:     time.Hour,
	Window:          24 * time.Hour,
	LateInterval:    24 * time.Hour,
	GiveUp:          7 * 24 * time.Hour,
	NotFoundGrace:   2 * time.Minute,
	NotFoundSpacing: time.Minute,
}

var created = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// opened is a payment as it is stored before the provider is asked.
func opened() payment.Payment {
	return payment.Payment{
		Reference:      "2f3373f3-5d70-43bc-9417-793dc1eb89c2",
		ClientID:       "client-1",
		ExternalID:     "order-1",
		Provider:       "mtn",
		Amount:         payment.Money{Minor: 10000, Currency: "SZL"},
		Payer:          "26876123456",
		Metadata:       map[string]string{"cart": "7"},
		Status:         payment.Pending,
		Phase:          payment.PhaseSubmitting,
		CreatedAt:      created,
		UpdatedAt:      created,
		SubmitDeadline: created.Add(30 * time.Second),
		NextCheckAt:    created.Add(30 * time.Second),
	}
}

func endedBy(s payment.Status, by payment.Source) payment.Payment {
	p := opened()
	p.Status, p.EndedBy, p.EndedAt, p.Phase, p.Sequence = s, by, created.Add(time.Minute), "", 1
	p.Accepted = by != payment.FromAbsence
	return p
}

// A provider that never answers: every check comes when it should, the
// payment times out at the very end of its window, and asking ends at 7 days.
func TestSilentProvider(t *testing.T) {
	t.Parallel()
	p := opened()
	now := created
	p.NextCheckAt = policy.NextCheck(p, now)
	var waits []time.Duration
	for !p.NextCheckAt.IsZero() {
		if !p.NextCheckAt.After(now) {
			t.Fatalf("check %d at %v is not after %v", len(waits), p.NextCheckAt, now)
		}
		if len(waits) > 100 {
			t.Fatal("asks for ever")
		}
		waits = append(waits, p.NextCheckAt.Sub(now))
		now = p.NextCheckAt
		d := payment.Decide(p, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysNothing, At: now}, policy)
		if atEnd := now.Equal(created.Add(policy.Window)); (len(d.Events) > 0) != atEnd {
			t.Errorf("at age %v: events %q", now.Sub(created), d.Events)
		}
		p = d.Payment
		p.NextCheckAt = policy.NextCheck(p, now)
	}
	want := []time.Duration{
		10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, // 5 min 10 s
		320 * time.Second, 640 * time.Second, 1280 * time.Second, 2560 * time.Second, // 1 h 25 min 10 s
	}
	for range 22 {
		want = append(want, time.Hour)
	}
	want = append(want, 34*time.Minute+50*time.Second) // the window's end, hit exactly
	for range 6 {
		want = append(want, 24*time.Hour)
	}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if p.Status != payment.Timeout || p.EndedBy != payment.FromClock || !p.EndedAt.Equal(created.Add(policy.Window)) {
		t.Errorf("ended %s by %s at %v", p.Status, p.EndedBy, p.EndedAt)
	}
	if now.Sub(created) != policy.GiveUp {
		t.Errorf("last asked at age %v, want %v", now.Sub(created), policy.GiveUp)
	}
}

func TestNextCheck(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	notFound := func(p payment.Payment) payment.Payment { p.NotFoundCount = 1; return p }
	hinted := func(age time.Duration) payment.Payment {
		p := opened()
		p.HintedAt = created.Add(age)
		return p
	}
	held := opened()
	held.Phase = payment.PhaseHeld
	for _, tc := range []struct {
		name string
		p    payment.Payment
		age  time.Duration
		want time.Duration // from now; negative: never again
	}{
		{"new", opened(), 0, 10 * time.Second},
		{"young", opened(), 95 * time.Second, 105 * time.Second},
		{"just under hourly", opened(), time.Hour - 11*time.Second, time.Hour - time.Second},
		{"hourly", opened(), time.Hour, time.Hour},
		{"hourly later", opened(), 20 * time.Hour, time.Hour},
		{"window is closer", opened(), 23*time.Hour + 59*time.Minute, time.Minute},
		{"last instant of the window", opened(), day - 1, 1},
		{"open at the window's end", opened(), day, time.Hour},
		{"open past the window", opened(), 30 * time.Hour, time.Hour},
		{"clock went back behind creation", opened(), -time.Hour, 10 * time.Second},

		// While a payment is open somebody still has to end it.
		{"open, nobody asked for a week", opened(), 7 * day, time.Hour},
		{"open, nobody asked for a year", opened(), 365 * day, time.Hour},
		{"held", held, 30 * time.Hour, time.Hour},
		{"held at 7 days", held, 7 * day, -1},
		{"held, not found once before", notFound(held), 30 * time.Hour, time.Hour},

		{"not found once", notFound(opened()), 10 * time.Hour, time.Minute},
		{"not found once, doubling is shorter", notFound(opened()), 5 * time.Second, 15 * time.Second},
		{"not found once, window is closer", notFound(opened()), day - 30*time.Second, 30 * time.Second},

		{"hinted just now", hinted(10 * time.Hour), 10 * time.Hour, 5 * time.Second},
		{"hinted a moment ago", hinted(10 * time.Hour), 10*time.Hour + 5*time.Second, 10 * time.Second},
		{"hinted long ago", hinted(10 * time.Hour), 12 * time.Hour, time.Hour},
		{"hinted early", hinted(time.Second), time.Second, 5 * time.Second},
		{"hinted in the future", hinted(10 * time.Hour), 9 * time.Hour, 5 * time.Second},
		{"hinted, window is closer", hinted(day - 2*time.Second), day - 2*time.Second, 2 * time.Second},

		{"successful", endedBy(payment.Successful, payment.FromStatus), time.Hour, -1},
		{"failed by the provider", endedBy(payment.Failed, payment.FromStatus), time.Hour, -1},
		{"refused", endedBy(payment.Failed, payment.FromSubmit), time.Second, -1},
		{"cancelled by the provider", endedBy(payment.Cancelled, payment.FromSignedWebhook), time.Hour, -1},
		{"ended by an operator", endedBy(payment.Failed, payment.FromOperator), time.Hour, -1},
		{"timed out", endedBy(payment.Timeout, payment.FromClock), day, day},
		{"timed out, old", endedBy(payment.Timeout, payment.FromClock), 6 * day, day},
		{"timed out, last question", endedBy(payment.Timeout, payment.FromClock), 7*day - time.Hour, time.Hour},
		{"timed out, 7 days", endedBy(payment.Timeout, payment.FromClock), 7 * day, -1},
		{"timed out, the provider has spoken since", endedBy(payment.Timeout, payment.FromStatus), day, -1},
		{"never received", endedBy(payment.Failed, payment.FromAbsence), 5 * time.Minute, day},
		{"never received, 7 days", endedBy(payment.Failed, payment.FromAbsence), 7 * day, -1},
		{"successful, though a callback came late", func() payment.Payment {
			p := endedBy(payment.Successful, payment.FromStatus)
			p.HintedAt = created
			return p
		}(), time.Hour, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			now := created.Add(tc.age)
			got := policy.NextCheck(tc.p, now)
			switch {
			case tc.want < 0 && !got.IsZero():
				t.Errorf("asks again in %v, want never", got.Sub(now))
			case tc.want >= 0 && !got.Equal(now.Add(tc.want)):
				t.Errorf("asks again in %v, want %v", got.Sub(now), tc.want)
			}
		})
	}
}

// Asked later, the answer is never earlier, never past and never more than
// the longest wait away.
func TestNextCheckIsMonotone(t *testing.T) {
	t.Parallel()
	for i, p := range states() {
		p.CreatedAt = created
		for _, hint := range []time.Duration{0, time.Second, 90 * time.Minute} {
			if hint > 0 && p.Open() {
				p.HintedAt = created.Add(hint)
			}
			var last time.Time
			for age := -time.Minute; age < 8*24*time.Hour; age += 7*time.Second + age/64 {
				now := created.Add(age)
				next := policy.NextCheck(p.Payment, now)
				if next.IsZero() {
					if mustAsk(p.Payment, now) {
						t.Fatalf("state %d (%s) at age %v: nothing left to ask", i, p.name, age)
					}
					continue
				}
				if !next.After(now) || next.Before(last) || next.Sub(now) > policy.LateInterval {
					t.Fatalf("state %d (%s) at age %v: next %v, before it %v", i, p.name, age, next.Sub(now), last.Sub(now))
				}
				last = next
			}
		}
	}
}

// mustAsk says whether something is left to ask: an open payment has to be
// ended by somebody (a held one by its operator, so asking stops at 7 days),
// and what only we concluded is asked about for 7 days.
func mustAsk(p payment.Payment, now time.Time) bool {
	young := now.Sub(p.CreatedAt) < policy.GiveUp
	if p.Open() {
		if p.Unanswerable {
			return false
		}
		return young || p.Phase != payment.PhaseHeld
	}
	doubted := p.Status.Ended() && !p.HintedAt.IsZero() && !p.HintedAt.Before(p.EndedAt) && now.Sub(p.HintedAt) < policy.MaxInterval
	return young && p.Status != payment.Successful && (doubted || p.EndedBy == payment.FromClock || p.EndedBy == payment.FromAbsence)
}

// Times far out of range must not turn into checks in the past.
func TestNextCheckSaturates(t *testing.T) {
	t.Parallel()
	p := opened()
	p.CreatedAt = time.Time{}
	p.HintedAt = time.Unix(0, 0)
	for _, now := range []time.Time{created, time.Unix(1<<40, 0)} {
		if next := policy.NextCheck(p, now); !next.After(now) {
			t.Errorf("created at zero, seen from %v: next check %v", now, next)
		}
	}
}

func TestHinted(t *testing.T) {
	t.Parallel()
	at := created.Add(10 * time.Hour)
	p := opened()
	p.NextCheckAt = at.Add(time.Hour)
	got, changed := payment.Hinted(p, payment.Failed, at, policy)
	want := p
	want.HintedAt, want.UpdatedAt, want.NextCheckAt = at, at, at.Add(5*time.Second)
	if diff := cmp.Diff(want, got); !changed || diff != "" {
		t.Errorf("changed %v (-want +got):\n%s", changed, diff)
	}

	// A second callback does not restart the short waits, or a forger could
	// keep us asking.
	if again, changed := payment.Hinted(got, payment.Successful, at.Add(time.Minute), policy); changed || !cmp.Equal(again, got) {
		t.Errorf("second hint: changed %v\n%s", changed, cmp.Diff(got, again))
	}
	for _, s := range payment.Statuses[2:] {
		p := endedBy(s, payment.FromClock)
		if got, changed := payment.Hinted(p, payment.Failed, at, policy); changed || !cmp.Equal(got, p) {
			t.Errorf("%s: changed %v\n%s", s, changed, cmp.Diff(p, got))
		}
	}

	// A claimed success is asked about again though the payment has ended
	// otherwise, by any source; but not without end.
	for _, by := range []payment.Source{payment.FromClock, payment.FromAbsence, payment.FromStatus, payment.FromSubmit, payment.FromOperator} {
		p := endedBy(payment.Failed, by)
		p.EndedAt = at.Add(-time.Minute)
		p.HintedAt = p.EndedAt.Add(-time.Minute) // a hint from before says nothing now
		got, changed := payment.Hinted(p, payment.Successful, at, policy)
		if !changed || !got.NextCheckAt.Equal(at.Add(5*time.Second)) || !got.HintedAt.Equal(at) {
			t.Errorf("ended by %s: changed %v, next check %v", by, changed, got.NextCheckAt)
		}
		if again, changed := payment.Hinted(got, payment.Successful, at.Add(time.Minute), policy); changed {
			t.Errorf("hinted again\n%s", cmp.Diff(got, again))
		}
		if next := policy.NextCheck(got, at.Add(policy.MaxInterval)); by == payment.FromStatus && !next.IsZero() {
			t.Errorf("still asking at %v", next)
		}
	}

	// While the provider lags, questions come at 5, 10, 20, 40 … s from it.
	var waits []string
	for now := at; len(waits) < 6; {
		next := policy.NextCheck(want, now)
		waits = append(waits, fmt.Sprint(next.Sub(now)))
		now = next
	}
	if diff := cmp.Diff([]string{"5s", "10s", "20s", "40s", "1m20s", "2m40s"}, waits); diff != "" {
		t.Errorf("waits after a hint (-want +got):\n%s", diff)
	}
}
