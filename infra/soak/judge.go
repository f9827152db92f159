package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// leftToPeople says whether an open payment may stay so: the answer that
// would tell how to ask for it was lost, and the provider has no other way.
func leftToPeople(p ledger.Payment, e entry) bool {
	unaskable := profileOf(p.Provider).Unaskable
	return p.Phase == payment.PhaseInReconciliation && unaskable != nil &&
		unaskable(core.Open{Method: p.Method, IDs: p.IDs, Unanswerable: p.Unanswerable, Age: time.Since(p.CreatedAt), Made: e.made})
}

// uninvoiced says whether there is an invoice that the app has not heard of.
func uninvoiced(p ledger.Payment, e entry) bool {
	return p.Status == payment.Successful && e.invoiced && p.InvoiceURL == ""
}

// judge compares one payment's books. e is its provider's, empty where that
// was never asked; heard is what its app got, in order.
func judge(s ledger.Story, e entry, heard []arrival, now time.Time) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	p := s.Payment
	switch {
	case p.Status == payment.Successful && e.charges != 1:
		fault("SUCCESSFUL here, and the provider charged %d times", e.charges)
	case p.Status != payment.Successful && !p.Open() && e.charges > 0:
		fault("%s here, and the provider charged", p.Status)
	case p.Open() && !leftToPeople(p, e) && e.made == 0:
		fault("open for %s though it never reached the provider", now.Sub(p.CreatedAt).Round(time.Second))
	case p.Open() && !leftToPeople(p, e):
		fault("%s %s here, %s at the provider since %s", p.Status, p.Phase, e.status, now.Sub(e.since).Round(time.Second))
	case uninvoiced(p, e):
		fault("the provider has made an invoice, and the app was not told")
	}
	if !p.Open() && p.Sequence < 1 {
		fault("%s without an event", p.Status)
	}
	faults = append(faults, judgeEvents(s, heard, now)...)

	events := map[string]delivery.Delivery{}
	for _, d := range s.Deliveries {
		events[d.EventID] = d
	}
	taken := 0 // the highest sequence that the app has answered 200
	for _, n := range heard {
		d := events[n.EventID]
		switch {
		case n.ClientID != p.ClientID:
			fault("%s was sent another app's event", n.App)
		case n.Body != d.Body:
			fault("the app was sent other words for event %d", d.Sequence)
		case n.saysPaid() && e.charges != 1:
			fault("the app was told that it is paid, and the provider charged %d times", e.charges)
		case d.Sequence > taken+1:
			fault("the app was sent event %d before it took event %d", d.Sequence, taken+1)
		}
		if n.Answered == 200 {
			taken = max(taken, d.Sequence)
		}
	}
	return faults
}

// judgeEvents: one event for each number, a success once and before its
// invoice, that once too, each in the form that was asked for, and none
// forgotten.
func judgeEvents(s ledger.Story, heard []arrival, now time.Time) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	p := s.Payment
	if len(s.Deliveries) != p.Sequence {
		fault("%d events and %d deliveries", p.Sequence, len(s.Deliveries))
	}
	sequences, names := map[int]bool{}, map[payment.Event]bool{}
	for _, d := range slices.SortedFunc(slices.Values(s.Deliveries), func(a, b delivery.Delivery) int { return cmp.Compare(a.Sequence, b.Sequence) }) {
		if sequences[d.Sequence] || d.Sequence < 1 || d.Sequence > p.Sequence {
			fault("event %d of %d, or twice", d.Sequence, p.Sequence)
		}
		if names[d.Event] {
			fault("%s was announced twice", d.Event)
		}
		if d.Event == payment.EventInvoice && !names[payment.EventSuccessful] {
			fault("the invoice was announced before the success")
		}
		if strings.Contains(d.Body, `"sequence":`) == p.NativeCallbacks {
			fault("event %d is not in the form that was asked for", d.Sequence)
		}
		sequences[d.Sequence], names[d.Event] = true, true
		// Postponed, because its app failed: it has its time, and that is to come.
		putOff := d.State == delivery.Due && d.Attempts > 0 && d.NextAttemptAt.After(now)
		if !d.State.Parked() && !putOff && d.State != delivery.Waiting {
			fault("event %d is still %s after %d attempts, due %s ago", d.Sequence, d.State, d.Attempts, now.Sub(d.NextAttemptAt).Round(time.Second))
		}
		if d.State == delivery.Delivered && !slices.ContainsFunc(heard, func(n arrival) bool { return n.EventID == d.EventID && n.Answered == 200 }) {
			fault("event %d counts as delivered, and the app never took it", d.Sequence)
		}
	}
	return faults
}
