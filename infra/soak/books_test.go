package main

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/sandbox"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// A soak that cannot fail proves nothing: each broken promise is seen.
func TestBrokenPromisesAreSeen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	type scene struct {
		story ledger.Story
		entry sandbox.Entry
		heard []arrival
	}
	good := func() scene {
		return scene{
			story: ledger.Story{
				Payment:    ledger.Payment{Payment: payment.Payment{Status: payment.Successful, Sequence: 1, CreatedAt: now.Add(-time.Minute)}},
				Deliveries: []ledger.Delivery{{Sequence: 1, EventID: "evt_1", Body: "{}", State: ledger.DeliveryDelivered, Attempts: 1}},
			},
			entry: sandbox.Entry{Asks: 1, Accepted: 1, Charges: 1, Ended: true, Status: "SUCCESSFUL", Since: now.Add(-time.Minute)},
			heard: []arrival{{EventID: "evt_1", Body: "{}", Answered: 200, Status: "SUCCESSFUL", Sequence: 1}},
		}
	}
	for _, c := range []struct {
		name string
		harm func(*scene)
		says string // empty: nothing is wrong
	}{
		{"nothing", func(*scene) {}, ""},
		{"repeated", func(s *scene) { s.heard = append(s.heard, s.heard[0]) }, ""},
		{"put off", func(s *scene) {
			s.story.Deliveries[0].State, s.story.Deliveries[0].NextAttemptAt, s.heard = ledger.DeliveryDue, now.Add(time.Minute), nil
		}, ""},
		{"held", func(s *scene) { s.story.Deliveries[0].State, s.heard = ledger.DeliveryHeld, nil }, ""},
		{"not charged", func(s *scene) { s.entry.Charges = 0 }, "SUCCESSFUL here, and MTN charged 0 times"},
		{"charged and failed", func(s *scene) { s.story.Payment.Status = payment.Failed }, "FAILED here, and MTN charged"},
		{"left open", func(s *scene) { s.story.Payment.Status = payment.Pending }, "PENDING here, SUCCESSFUL at MTN"},
		{"never reached", func(s *scene) {
			s.story.Payment.Status, s.story.Payment.CreatedAt, s.entry = payment.Pending, now.Add(-time.Hour), sandbox.Entry{}
		}, "never reached MTN"},
		{"no event", func(s *scene) { s.story.Payment.Sequence, s.story.Deliveries, s.heard = 0, nil, nil }, "without an event"},
		{"event lost", func(s *scene) { s.story.Deliveries = nil }, "1 events and 0 deliveries"},
		{"event twice", func(s *scene) {
			s.story.Payment.Sequence = 2
			s.story.Deliveries = append(s.story.Deliveries, s.story.Deliveries[0])
		}, "or twice"},
		{"overdue", func(s *scene) {
			s.story.Deliveries[0].State, s.story.Deliveries[0].NextAttemptAt = ledger.DeliveryDue, now.Add(-time.Hour)
		}, "still due"},
		{"not heard", func(s *scene) { s.heard = nil }, "the app never took it"},
		{"refused", func(s *scene) { s.heard[0].Answered = 500 }, "the app never took it"},
		{"another's event", func(s *scene) { s.heard[0].EventID = "evt_2" }, "which is not ours"},
		{"other words", func(s *scene) { s.heard[0].Body = "{ }" }, "other words"},
		{"told too much", func(s *scene) {
			s.story.Payment.Status, s.entry.Charges, s.entry.Status = payment.Failed, 0, "FAILED"
		}, "the app was told SUCCESSFUL"},
		{"overtaken", func(s *scene) {
			s.story.Payment.Sequence = 2
			s.story.Deliveries = append(s.story.Deliveries, ledger.Delivery{Sequence: 2, EventID: "evt_2", Body: "{}", State: ledger.DeliveryDelivered})
			second := s.heard[0]
			second.EventID, second.Sequence = "evt_2", 2
			s.heard = []arrival{second, s.heard[0]}
		}, "before it took event 1"},
	} {
		s := good()
		c.harm(&s)
		faults := strings.Join(judge(s.story, s.entry, s.heard, now), "\n")
		if c.says == "" && faults != "" || !strings.Contains(faults, c.says) {
			t.Errorf("%s: %q, not %q", c.name, faults, c.says)
		}
	}
	for _, c := range []struct {
		name string
		b    books
		says string
	}{
		{"charged twice", books{mtn: map[string]sandbox.Entry{"r": {Accepted: 1, Charges: 2}}}, "charged 2 times"},
		{"unknown to us", books{mtn: map[string]sandbox.Entry{"r": {Asks: 1}}}, "we do not know it"},
		{"too many questions", books{counters: sandbox.Counters{Violations: 1, MaxGETs: 11}}, "limit was exceeded"},
		{"promise lost", books{promised: map[string]string{"r": "order"}}, "promised for order"},
		{"forged delivery", books{arrivals: []arrival{{Fault: "no signature matches"}}}, "does not verify"},
		{"stranger", books{arrivals: []arrival{{ReferenceID: "r"}}}, "heard of it"},
		{"seen at once", books{broken: []string{"one Idempotency-Key, two payments"}}, "one Idempotency-Key"},
	} {
		if faults := strings.Join(c.b.faults(), "\n"); !strings.Contains(faults, c.says) {
			t.Errorf("%s: %q, not %q", c.name, faults, c.says)
		}
	}
}
