package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
)

// planOperator has somebody look after the system while faults go on.
func (w *world) planOperator() {
	for left := w.rates.operates; w.chance(left); left-- {
		w.anytime(w.between(0, w.rates.span), "operator", func() {
			if w.chance(0.4) {
				w.refundByHand()
			} else if w.chance(0.5) {
				w.resend()
			} else if unhealthy := w.unhealthy(); len(unhealthy) > 0 {
				w.enable(unhealthy[w.rng.IntN(len(unhealthy))])
			}
		})
	}
}

// enableMended enables every disabled endpoint whose app has recovered.
func (w *world) enableMended() {
	for _, e := range w.unhealthy() {
		if e.State == delivery.EndpointDisabled && w.appOf(e.ClientID).broken() == "" {
			w.enable(e)
		}
	}
}

func (w *world) enable(e delivery.Endpoint) {
	w.note("enable", e.ClientID, e.Origin, string(e.State))
	_, err := w.oracle.SaveEndpoint(context.Background(), e.Reopen(ledger.Clock(time.Now())), ledger.Clock(time.Now()), w.byHand(e.ClientID, ""))
	if err != nil {
		w.violate(NoPanic, "endpoint %s of %s cannot be enabled: %v", e.Origin, e.ClientID, err)
	}
	w.result.Stats.Enabled++
	w.stale = true
}

// resend asks for one event again, whatever became of it.
func (w *world) resend() {
	if len(w.books.order) == 0 {
		return
	}
	reference := w.books.order[w.rng.IntN(len(w.books.order))]
	all, err := w.oracle.Deliveries(context.Background(), reference)
	if err != nil || len(all) == 0 {
		return
	}
	d := all[w.rng.IntN(len(all))]
	w.note("resend", d.EventID, string(d.State))
	_, err = w.oracle.ResendDelivery(context.Background(), d, ledger.Clock(time.Now()), w.byHand(d.ClientID, reference))
	switch {
	case errors.Is(err, delivery.ErrUnderway), errors.Is(err, ledger.ErrEndpointDisabled):
		return
	case err != nil:
		w.violate(NoPanic, "event %s cannot be asked for: %v", d.EventID, err)
		return
	}
	w.result.Stats.Resent++
	w.stale = true
	w.enqueue(queue.Message{Body: fmt.Sprintf(`{"reference":%q,"sequence":%d}`, reference, d.Sequence), Group: d.ClientID})
}

func (w *world) byHand(clientID, reference string) ledger.AuditRecord {
	return ledger.AuditRecord{
		At: ledger.Clock(time.Now()), Direction: ledger.InboundFromApp, ClientID: clientID, Reference: reference,
		Method: "OPERATOR", Note: "operator",
	}
}

// settleAll has an operator go through the inbox and settle what nobody can be
// asked about, by what the provider's portal says.
func (w *world) settleAll() {
	w.checkInbox()
	w.settleRefunds()
	found, err := w.oracle.Inbox(context.Background(), ledger.InboxQuery{Kind: ledger.AttentionPayment}, ledger.Paging{Limit: 1000})
	if err != nil {
		panic(err)
	}
	for _, a := range found.Items {
		w.settle(a.Reference)
	}
}

// patience is how long an operator lets a payer decide of whose payment
// nothing can be asked.
const patience = 3 * 24 * time.Hour

// settle ends one payment by an operator's word, if it is one that nobody can
// be asked about and its outcome is known.
func (w *world) settle(reference string) {
	p, err := w.oracle.Payment(context.Background(), reference)
	if err != nil || !p.Open() || !p.Unanswerable {
		return
	}
	t := w.truth(reference)
	age := time.Since(w.books.created[reference])
	s := gateway.Settlement{Verdict: payment.SaysFailed, Reason: "not in the portal", Operator: "operator", Seen: "as its books have it", AlthoughPayable: true}
	switch {
	case age < 2*time.Hour || t.status == payment.Pending && age < patience:
		return
	case t.status == payment.Successful && !sameMoney(p, t):
		s.Reason = "another amount; given back"
	case t.status == payment.Successful:
		s.Verdict = payment.SaysSuccessful
	case t.status == payment.Cancelled, t.status == payment.Pending:
		s.Verdict = payment.SaysCancelled
	}
	status, _ := s.Verdict.Ending()
	w.note("settle", reference, string(status))
	w.books.word[reference] = status
	w.result.Stats.Settled++
	g := payments.Over(assembly.Parts{
		Ledger: ledger.New(handTable{w.store, w}, plainSealer{}, ledger.Options{Random: bytesOf{w.rng}}),
		Queue:  noQueue{}, Log: w.log(), Host: host.Machine(),
	}, offline())
	if _, err := g.Settle(context.Background(), reference, s); err != nil {
		w.violate(NoPanic, "%s cannot be settled as %s: %v", reference, status, err)
	}
}

// checkInbox: what nobody can be asked about is before the operator, once there
// was a check that nothing disturbed. They come a day apart at most.
func (w *world) checkInbox() {
	if time.Since(w.books.calmAt) < 24*time.Hour+30*time.Minute {
		return
	}
	for _, reference := range w.books.order {
		p := w.books.payments[reference]
		if p.Open() && p.Phase != payment.PhaseHeld && w.way(p).decided && !p.Unanswerable {
			w.violate(InTime, "%s, of which nobody can ask, is %s and not before the operator", reference, p.Phase)
		}
	}
}

// handTable is the table as a tool of the operator's uses it: nothing goes
// wrong, and everything is looked at.
type handTable struct {
	table.Table
	w *world
}

func (t handTable) Write(ctx context.Context, ops ...table.Op) error {
	err := t.Table.Write(ctx, ops...)
	if err == nil {
		t.w.wrote(ops)
	}
	return err
}

// noQueue takes nothing on: the sweeper finds what an operator has left.
type noQueue struct{ queue.Queue }

func (noQueue) Send(context.Context, ...queue.Message) error { return nil }

// offline are the providers of a tool that has no account.
func offline() (all []provider.Provider) {
	for _, r := range providers.All() {
		all = append(all, r.Offline())
	}
	return all
}
