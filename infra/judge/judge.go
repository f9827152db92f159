// Package judge compares, for one payment, what its provider charged, what the
// ledger says and what its app received. Simulation and soak judge by it; what
// each tolerates besides is its own.
package judge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Rule is what a fault breaks.
type Rule string

const (
	// Paid: SUCCESSFUL, here or in an event, means that the provider charged.
	Paid Rule = "paid"
	// Known: what the provider charged is SUCCESSFUL, or still open. Who could
	// no longer learn of a charge is excused by the caller.
	Known Rule = "known"
	// Once: nobody is charged twice.
	Once Rule = "once"
	// Events: an ended payment has one event for each number, in order, each kind
	// of event once, and one for each refund that has ended.
	Events Rule = "events"
	// Arrivals: an app received what is stored, in order, and took what counts
	// as delivered.
	Arrivals Rule = "arrivals"
	// Own: an app receives its own events alone.
	Own Rule = "own"
)

// Fault is a rule that does not hold.
type Fault struct {
	Rule Rule
	What string
}

// Arrival is one attempt of a delivery as it came to an app.
type Arrival struct {
	EventID  string
	ClientID string // of the app that got it
	Body     string
	Taken    bool // answered with 2xx
}

// Payment compares one payment's books. charges is how often its provider
// charged; heard is what apps received of its events, in order.
func Payment(s ledger.Story, charges int, heard []Arrival) (faults []Fault) {
	fault := func(r Rule, format string, args ...any) {
		faults = append(faults, Fault{r, fmt.Sprintf(format, args...)})
	}
	p := s.Payment
	switch {
	case charges > 1:
		fault(Once, "the provider charged %d times", charges)
	case p.Status == payment.Successful && charges == 0:
		fault(Paid, "SUCCESSFUL here, and the provider charged nothing")
	case p.Status != payment.Successful && !p.Open() && charges > 0:
		fault(Known, "%s here by %s, and the provider charged", p.Status, p.EndedBy)
	}
	if !p.Open() && p.Sequence < 1 {
		fault(Events, "%s without an event", p.Status)
	}
	if len(s.Deliveries) != p.Sequence {
		fault(Events, "%d events and %d deliveries", p.Sequence, len(s.Deliveries))
	}
	inOrder := slices.SortedFunc(slices.Values(s.Deliveries), func(a, b delivery.Delivery) int { return cmp.Compare(a.Sequence, b.Sequence) })
	names := map[payment.Event]bool{}
	refunds := map[string]payment.Event{} // by the refund's id
	for i, d := range inOrder {
		if d.Sequence != i+1 {
			fault(Events, "event %d at place %d", d.Sequence, i+1)
		}
		id := refundTold(d)
		switch {
		case id != "" && refunds[id] == "":
			refunds[id] = d.Event
		case id != "" || names[d.Event]:
			fault(Events, "%s was announced twice", d.Event)
		}
		if d.Event == payment.EventInvoice && !names[payment.EventSuccessful] {
			fault(Events, "the invoice was announced before the success")
		}
		// An operator's tool knows no provider's words, and no provider's own
		// payload tells of a refund.
		want := p.NativeCallbacks && id == ""
		if native := !strings.Contains(d.Body, `"sequence":`); native != want && p.EndedBy != payment.FromOperator {
			fault(Events, "event %d is not in the form that was asked for", d.Sequence)
		}
		names[d.Event] = true
		if d.State == delivery.Delivered && !slices.ContainsFunc(heard, func(a Arrival) bool { return a.EventID == d.EventID && a.Taken }) {
			fault(Arrivals, "event %d counts as delivered, and the app never took it", d.Sequence)
		}
	}
	for _, f := range s.Refunds {
		if refunds[f.ID] != refundEvents[f.Status] {
			fault(Events, "refund %s is %s and was announced as %q", f.ID, f.Status, refunds[f.ID])
		}
		delete(refunds, f.ID)
	}
	if len(refunds) > 0 {
		fault(Events, "refunds were announced that there are not: %v", refunds)
	}
	taken := map[string]bool{}
	for _, a := range heard {
		i := slices.IndexFunc(inOrder, func(d delivery.Delivery) bool { return d.EventID == a.EventID })
		switch {
		case i < 0:
			fault(Arrivals, "the app was sent event %s, which is none of its events", a.EventID)
			continue
		case a.ClientID != p.ClientID:
			fault(Own, "%s was sent another app's event %d", a.ClientID, inOrder[i].Sequence)
		case a.Body != inOrder[i].Body:
			fault(Arrivals, "the app was sent other words for event %d", inOrder[i].Sequence)
		case saysPaid(a.Body) && charges == 0:
			fault(Paid, "the app was told that it is paid, and the provider charged nothing")
		}
		for _, earlier := range inOrder[:i] {
			givenUp := earlier.State == delivery.Exhausted || earlier.State == delivery.Held && !earlier.HeldForEndpoint()
			if !givenUp && !taken[earlier.EventID] {
				fault(Arrivals, "the app was sent event %d before it took event %d", inOrder[i].Sequence, earlier.Sequence)
			}
		}
		taken[a.EventID] = taken[a.EventID] || a.Taken
	}
	return faults
}

// saysPaid says whether an app that reads a callback concludes that it has its
// money: in our form, or in one of the providers'.
func saysPaid(callback string) bool {
	var body struct {
		Status          string
		OperationStatus any
		Data            struct{ Status string }
	}
	_ = json.Unmarshal([]byte(callback), &body) // what is no JSON says nothing
	return body.Status == "SUCCESSFUL" || body.OperationStatus == "1" || body.Data.Status == "paid"
}
