package main

import (
	"fmt"
	"time"

	"momoproxy/infra/judge"
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

// faultsOf compares one payment's books. e is its provider's, empty where that
// was never asked; heard is what apps got of its events, in order.
func faultsOf(s ledger.Story, e entry, heard []judge.Arrival, now time.Time) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, f := range judge.Payment(s, e.charges, heard) {
		fault("%s", f.What)
	}
	p := s.Payment
	switch {
	case p.Open() && !leftToPeople(p, e) && e.made == 0:
		fault("open for %s though it never reached the provider", now.Sub(p.CreatedAt).Round(time.Second))
	case p.Open() && !leftToPeople(p, e):
		fault("%s %s here, %s at the provider since %s", p.Status, p.Phase, e.status, now.Sub(e.since).Round(time.Second))
	case uninvoiced(p, e):
		fault("the provider has made an invoice, and the app was not told")
	}
	for _, d := range s.Deliveries {
		// Postponed, because its app failed: it has its time, and that is to come.
		putOff := d.State == delivery.Due && d.Attempts > 0 && d.NextAttemptAt.After(now)
		if !d.State.Parked() && !putOff && d.State != delivery.Waiting {
			fault("event %d is still %s after %d attempts, due %s ago", d.Sequence, d.State, d.Attempts, now.Sub(d.NextAttemptAt).Round(time.Second))
		}
	}
	return faults
}
