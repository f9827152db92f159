package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// refunding is the function that takes an app's refunds.
const refunding role = "refunds"

// refundAsk is a refund as an app asks for it.
type refundAsk struct {
	app       *app
	reference string // of the payment
	id        string
	amount    payment.Money // zero: all that is left
	asked     int
	plain     bool // nothing may hinder it: the faults have stopped
}

// planRefunds has an app that has heard of a payment, or of its success, ask for
// refunds of it.
func (w *world) planRefunds(a *app, reference string, most float64) {
	if w.books.payments[reference].Provider != nameMTN {
		return
	}
	for left := most; w.chance(left); left -= 0.4 {
		w.anytime(w.between(0, min(w.rates.span/8, 5*time.Minute)), "refund", func() { w.askRefund(w.drawRefund(a, reference)) })
	}
}

// drawRefund is a new refund of a payment, or an id that was used before: for the
// same, for something else, or for another payment.
func (w *world) drawRefund(a *app, reference string) *refundAsk {
	p := w.books.payments[reference]
	share := func(quarters int64) payment.Money {
		return payment.Money{Minor: max(1, p.Amount.Minor*quarters/4), Currency: p.Amount.Currency}
	}
	r := &refundAsk{app: a, reference: reference, amount: pick(w, payment.Money{}, share(1), share(2), share(3), share(4), share(5))}
	asked := w.books.refundAsks
	switch x := w.rng.Float64(); {
	case x < 0.25 && len(asked) > 0:
		r.id = asked[w.rng.IntN(len(asked))].id
	case x < 0.4 && len(asked) > 0: // the same again
		again := *asked[w.rng.IntN(len(asked))]
		again.asked = 0
		return &again
	default:
		r.id = payment.ReferenceFor("refund", fmt.Sprint(w.options.Seed, len(asked)))
	}
	if w.chance(0.05) {
		r.app = w.apps[w.rng.IntN(len(w.apps))]
	}
	w.books.refundAsks = append(w.books.refundAsks, r)
	return r
}

// askRefund asks for a refund, and again under the same id when no answer comes.
func (w *world) askRefund(r *refundAsk) {
	r.asked++
	before := w.books.payments[r.reference]
	w.note("refund", r.app.name, r.reference, r.id, r.amount.String())
	var f ledger.Refund
	var err error
	_, ok := w.invoke(refunding, func(ctx context.Context, i *instance) {
		_, f, err = i.refunds.Request(ctx, gateway.RefundOrder{
			Reference: r.reference, ClientID: r.app.client.ID, ID: r.id, Amount: r.amount, Kind: refund.ByRefund, Reason: "as the app wants", PerDay: refundsPerDay,
		})
		if err == nil {
			_, _ = i.refunds.Work(ctx, r.reference, f.ID)
		}
	})
	if w.halted {
		return
	}
	w.stale = true
	if again := !ok || !w.answeredRefund(r, before, f, err); again && r.asked < 4 && (r.plain || w.chance(0.8)) {
		w.anytime(w.between(time.Second, 2*time.Minute), "refund again", func() { w.askRefund(r) })
	}
}

// refundsPerDay is what an app may refund in a day.
var refundsPerDay = payment.Money{Minor: 40_000, Currency: "SZL"}

// answeredRefund holds the answer to a refund against what is stored. before is
// the payment as it was when the app asked. It is false for an answer that any
// request may get.
func (w *world) answeredRefund(r *refundAsk, before ledger.Payment, f ledger.Refund, err error) bool {
	p := w.books.payments[r.reference]
	known := w.books.refunds[r.reference][r.id]
	refused := func(fair bool) {
		if !fair || r.plain {
			w.violate(Answers, "%s asked for %s of %s back as %s and was answered: %v", r.app.name, r.amount, r.reference, r.id, err)
		}
	}
	switch {
	case err == nil && (p.ClientID != r.app.client.ID || p.Status != payment.Successful):
		w.violate(Refunds, "%s was given the refund %s of %s, %s, of %s", r.app.name, r.id, p.Reference, p.Status, p.ClientID)
	case err == nil && (f.ID != r.id || known.Reference != f.Reference || r.amount != (payment.Money{}) && f.Amount != r.amount):
		w.violate(Answers, "%s asked for %s of %s back as %s and was answered %s as %s", r.app.name, r.amount, r.reference, r.id, f.Amount, f.ID)
	case err == nil:
	case errors.Is(err, gateway.ErrForbidden):
		refused(p.ClientID != r.app.client.ID)
	case errors.Is(err, refund.ErrNotPaid):
		refused(before.Status != payment.Successful)
	case errors.Is(err, gateway.ErrRefundIDTaken):
		refused(known.ID != "" && slices.ContainsFunc(w.books.refundAsks, func(o *refundAsk) bool { // all that is left and its amount are two requests
			return o.reference == r.reference && o.id == r.id && o.amount != r.amount
		}))
	case errors.Is(err, refund.ErrOpen), errors.Is(err, refund.ErrTooMany):
		refused(len(w.books.refunds[r.reference]) > 0)
	case errors.Is(err, refund.ErrTooMuch):
		refused(len(w.books.refunds[r.reference]) > 0 || r.amount.Minor > p.Amount.Minor)
	case errors.Is(err, ledger.ErrRefundsPerDay):
		refused(true)
	default:
		return false
	}
	w.note("refund answer", r.id, fmt.Sprint(err))
	return true
}

// probeRefund asks for the whole of a new payment back, to see that refunds
// still work.
func (w *world) probeRefund(a *app) {
	for _, o := range a.orders {
		for reference := range o.references {
			p := w.books.payments[reference]
			if o.plain && p.Provider == nameMTN && p.Status == payment.Successful && len(w.books.refunds[reference]) == 0 {
				r := w.drawRefund(a, reference)
				*r = refundAsk{app: a, reference: reference, id: payment.ReferenceFor("refund", "probe"+reference), plain: true}
				w.askRefund(r)
				return
			}
		}
	}
}

// refundByHand has an operator refund in a way that apps cannot choose.
func (w *world) refundByHand() {
	if len(w.books.order) == 0 {
		return
	}
	p := w.books.payments[w.books.order[w.rng.IntN(len(w.books.order))]]
	kind := pick(w, refund.ByHand, refund.ByTransfer)
	if p.Provider != nameMTN {
		kind = refund.ByHand
	}
	id := payment.ReferenceFor("by hand", fmt.Sprint(w.options.Seed, w.order))
	w.note("refund by hand", p.Reference, id, string(kind))
	_, _, err := w.refundsByHand().Request(context.Background(), gateway.RefundOrder{
		Reference: p.Reference, Operator: "operator", ID: id, Kind: kind, Reason: "as the customer wants",
		Amount: pick(w, payment.Money{}, payment.Money{Minor: 1, Currency: p.Amount.Currency}),
	})
	switch {
	case err == nil && p.Status == payment.Successful:
	case errors.Is(err, refund.ErrNotPaid) && p.Status != payment.Successful:
	case errors.Is(err, refund.ErrOpen), errors.Is(err, refund.ErrTooMuch), errors.Is(err, refund.ErrTooMany):
	default:
		w.violate(Answers, "an operator asked for a refund of %s, %s, and was answered: %v", p.Reference, p.Status, err)
	}
}

// settleRefunds has an operator settle each refund whose outcome is unknown, by
// what MTN's portal says.
func (w *world) settleRefunds() {
	found, err := w.oracle.Inbox(context.Background(), ledger.InboxQuery{Kind: ledger.AttentionRefund}, ledger.Paging{Limit: 1000})
	if err != nil {
		panic(err)
	}
	for _, a := range found.Items {
		f, err := w.oracle.Refund(context.Background(), a.Reference, a.RefundID)
		e, _ := w.atMTN(f.Reference)
		if err != nil || !f.Open() || refund.MaySettle(f.Refund, refund.Failed, time.Now()) != nil ||
			e.Status != "" && !e.Ended && time.Since(f.AskedAt) < patience {
			continue
		}
		says := gateway.RefundSettlement{Status: refund.Failed, Operator: "operator", Reason: "as its books have it"}
		if e.Charges > 0 {
			says.Status = refund.Successful
		}
		w.note("settle refund", a.Reference, f.ID, string(says.Status))
		w.result.Stats.RefundsSettled++
		if _, err := w.refundsByHand().Settle(context.Background(), a.Reference, f.ID, says); err != nil {
			w.violate(NoPanic, "refund %s of %s cannot be settled as %s: %v", f.ID, a.Reference, says.Status, err)
		}
	}
	w.stale = true
}
