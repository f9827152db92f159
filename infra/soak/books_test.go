package main

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/judge"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// A soak that cannot fail proves nothing: each broken promise is seen.
func TestBrokenPromisesAreSeen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	type scene struct {
		story ledger.Story
		entry entry
		heard []judge.Arrival
	}
	const paid, invoiced = `{"status":"SUCCESSFUL","sequence":1}`, `{"status":"SUCCESSFUL","sequence":2}`
	good := func() scene {
		return scene{
			story: ledger.Story{
				Payment:    ledger.Payment{Payment: payment.Payment{Provider: "mtn", Status: payment.Successful, Sequence: 1, CreatedAt: now.Add(-time.Minute)}},
				Deliveries: []delivery.Delivery{{Sequence: 1, EventID: "evt_1", Event: payment.EventSuccessful, Body: paid, State: delivery.Delivered, Attempts: 1}},
			},
			entry: entry{submissions: 1, made: 1, charges: 1, ended: true, status: "SUCCESSFUL", since: now.Add(-time.Minute)},
			heard: []judge.Arrival{{EventID: "evt_1", Body: paid, Taken: true}},
		}
	}
	invoice := func(s *scene) {
		s.entry.invoiced, s.story.Payment.InvoiceURL, s.story.Payment.Sequence = true, "https://invoice.example.com/1", 2
		s.story.Deliveries = append(s.story.Deliveries, delivery.Delivery{Sequence: 2, EventID: "evt_2", Event: payment.EventInvoice, Body: invoiced, State: delivery.Delivered})
		s.heard = append(s.heard, judge.Arrival{EventID: "evt_2", Body: invoiced, Taken: true})
	}
	// lost is an open payment whose answer was lost.
	lost := func(s *scene, provider, method string, unanswerable bool) {
		p := &s.story.Payment
		p.Provider, p.Method, p.Unanswerable, p.Status, p.Phase, p.Sequence = provider, method, unanswerable, payment.Pending, payment.PhaseInReconciliation, 0
		s.story.Deliveries, s.heard = nil, nil
	}
	for _, c := range []struct {
		name string
		harm func(*scene)
		says string // empty: nothing is wrong
	}{
		{"nothing", func(*scene) {}, ""},
		{"repeated", func(s *scene) { s.heard = append(s.heard, s.heard[0]) }, ""},
		{"put off", func(s *scene) {
			s.story.Deliveries[0].State, s.story.Deliveries[0].NextAttemptAt, s.heard = delivery.Due, now.Add(time.Minute), nil
		}, ""},
		{"held", func(s *scene) { s.story.Deliveries[0].State, s.heard = delivery.Held, nil }, ""},
		{"not charged", func(s *scene) { s.entry.charges = 0 }, "SUCCESSFUL here, and the provider charged nothing"},
		{"charged and failed", func(s *scene) { s.story.Payment.Status = payment.Failed }, "and the provider charged"},
		{"left open", func(s *scene) { s.story.Payment.Status = payment.Pending }, "here, SUCCESSFUL at the provider"},
		{"never reached", func(s *scene) {
			s.story.Payment.Status, s.story.Payment.CreatedAt, s.entry = payment.Pending, now.Add(-time.Hour), entry{}
		}, "never reached the provider"},
		{"no event", func(s *scene) { s.story.Payment.Sequence, s.story.Deliveries, s.heard = 0, nil, nil }, "without an event"},
		{"event lost", func(s *scene) { s.story.Deliveries = nil }, "1 events and 0 deliveries"},
		{"event twice", func(s *scene) {
			s.story.Payment.Sequence = 2
			s.story.Deliveries = append(s.story.Deliveries, s.story.Deliveries[0])
		}, "event 1 at place 2"},
		{"overdue", func(s *scene) {
			s.story.Deliveries[0].State, s.story.Deliveries[0].NextAttemptAt = delivery.Due, now.Add(-time.Hour)
		}, "still due"},
		{"not heard", func(s *scene) { s.heard = nil }, "the app never took it"},
		{"refused", func(s *scene) { s.heard[0].Taken = false }, "the app never took it"},
		{"another's event", func(s *scene) { s.heard[0].ClientID = "cli_other" }, "another app's event"},
		{"other words", func(s *scene) { s.heard[0].Body = "{ }" }, "other words"},
		{"told too much", func(s *scene) {
			s.story.Payment.Status, s.entry.charges, s.entry.status = payment.Failed, 0, "FAILED"
		}, "the app was told that it is paid"},
		{"overtaken", func(s *scene) {
			invoice(s)
			s.heard[0], s.heard[1] = s.heard[1], s.heard[0]
		}, "before it took event 1"},
		{"overtaken by what is never delivered", func(s *scene) {
			invoice(s)
			s.story.Deliveries[0].State, s.story.Deliveries[0].Attempts, s.story.Deliveries[0].NextAttemptAt = delivery.Due, 1, now.Add(time.Minute)
			s.heard = s.heard[1:]
		}, "before it took event 1"},
		{"invoiced", invoice, ""},
		{"not invoiced", func(s *scene) { s.entry.invoiced = true }, "has made an invoice"},
		{"invoice first", func(s *scene) {
			invoice(s)
			s.story.Deliveries[0].Event, s.story.Deliveries[1].Event = payment.EventInvoice, payment.EventSuccessful
		}, "invoice was announced before the success"},
		{"success twice", func(s *scene) {
			invoice(s)
			s.story.Deliveries[1].Event = payment.EventSuccessful
		}, "announced twice"},
		{"other form", func(s *scene) { s.story.Payment.NativeCallbacks = true }, "not in the form"},
		{"told too much by MomentPay", func(s *scene) {
			s.heard[0].Body, s.entry.charges = `{"data":{"status":"paid"}}`, 0
			s.story.Deliveries[0].Body = s.heard[0].Body
		}, "told that it is paid"},
		{"told too much by Mom Factura", func(s *scene) {
			s.heard[0].Body, s.entry.charges = `{"operationStatus":"1"}`, 0
			s.story.Deliveries[0].Body = s.heard[0].Body
		}, "told that it is paid"},
		{"mcx without an answer", func(s *scene) { lost(s, "mom-factura", "mcx", true) }, ""},
		{"mcx that may be asked about", func(s *scene) { lost(s, "mom-factura", "mcx", false) }, "at the provider"},
		{"reference without an answer", func(s *scene) { lost(s, "mom-factura", "reference", false) }, ""},
		{"reference with one", func(s *scene) {
			lost(s, "mom-factura", "reference", false)
			s.story.Payment.IDs = map[string]string{"operationId": "op-1"}
		}, "at the provider"},
		{"link without an answer", func(s *scene) { lost(s, "momentpay", "link", false) }, "at the provider"},
	} {
		s := good()
		c.harm(&s)
		faults := strings.Join(faultsOf(s.story, s.entry, s.heard, now), "\n")
		if c.says == "" && faults != "" || !strings.Contains(faults, c.says) {
			t.Errorf("%s: %q, not %q", c.name, faults, c.says)
		}
	}
	nobody := ledger.Story{Payment: ledger.Payment{Payment: payment.Payment{Provider: "mtn", Status: payment.Failed}}}
	for _, c := range []struct {
		name string
		b    books
		says string
	}{
		{"charged twice", books{theirs: map[string]entry{"r": {made: 1, charges: 2}}}, "charged 2 times"},
		{"made twice", books{theirs: map[string]entry{"r": {made: 2}}}, "made it 2 times"},
		{"unknown to us", books{theirs: map[string]entry{"r": {submissions: 1}}}, "we do not know it"},
		{"submitted twice", books{
			ours:   map[string]ledger.Story{"r": {Payment: ledger.Payment{Payment: payment.Payment{Provider: "mom-factura"}}}},
			theirs: map[string]entry{"r": {submissions: 2}},
		}, "was asked 2 times"},
		{"no operator is shown it", books{
			ours: map[string]ledger.Story{"r": {Payment: ledger.Payment{Payment: payment.Payment{Status: payment.Pending}}}},
		}, "no operator"},
		{"too many questions", books{counters: map[string]core.Counters{"mtn": {Limits: map[string]core.Limit{"getsPerSecond": {Most: 11, Violations: 1}}}}}, "limits of mtn were exceeded"},
		{"a provider that takes nothing", books{ours: map[string]ledger.Story{"1": nobody, "2": nobody, "3": nobody, "4": nobody, "5": nobody, "6": nobody}}, "mtn charged none of 6"},
		{"promise lost", books{promised: map[string]string{"r": "order"}}, "promised for order"},
		{"forged delivery", books{arrivals: []arrival{{Fault: "no signature matches"}}}, "does not verify"},
		{"stranger", books{arrivals: []arrival{{Arrival: judge.Arrival{EventID: "evt_9"}}}}, "which is not ours"},
		{"seen at once", books{broken: []string{"one Idempotency-Key, two payments"}}, "one Idempotency-Key"},
	} {
		if faults := strings.Join(c.b.faults(), "\n"); !strings.Contains(faults, c.says) {
			t.Errorf("%s: %q, not %q", c.name, faults, c.says)
		}
	}
}
