package simulation

import (
	"context"
	"slices"
	"strings"

	"momoproxy/infra/judge"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

// refundBooks are what the simulation itself keeps of refunds.
type refundBooks struct {
	refundAsks []*refundAsk
	refunds    map[string]map[string]ledger.Refund // as last written, by payment and id
	refundOf   map[string][2]string                // payment and id, by every reference that one ever had
	refused401 map[string]bool                     // the latest answer to its sending was 401
	refundTold map[string][]payment.Event          // endings whose payment is still to be written
	refundDay  map[string]int64                    // asked for by an app on a day
}

func newRefundBooks() refundBooks {
	return refundBooks{
		refunds: map[string]map[string]ledger.Refund{}, refundOf: map[string][2]string{}, refused401: map[string]bool{},
		refundTold: map[string][]payment.Event{}, refundDay: map[string]int64{},
	}
}

// refundChanged holds one refund's change against what was and what is true.
func (w *world) refundChanged(reference, id string, ops []table.Op) {
	f, err := w.oracle.Refund(context.Background(), reference, id)
	if err != nil {
		w.violate(NoPanic, "refund %s of %s cannot be read back: %v", id, reference, err)
		return
	}
	all := w.books.refunds[reference]
	if all == nil {
		all = map[string]ledger.Refund{}
		w.books.refunds[reference] = all
	}
	before, known := all[id]
	all[id] = f
	w.books.refundOf[f.Reference] = [2]string{reference, id}
	switch {
	case !known:
		w.checkNewRefund(f)
	case before.Reference != f.Reference || before.Amount != f.Amount || before.Kind != f.Kind || before.ClientID != f.ClientID:
		w.violate(Refunds, "refund %s of %s has become another one: %+v, was %+v", id, reference, f, before)
	case before.Status == f.Status:
		return
	case before.Status.Ended():
		w.violate(Refunds, "refund %s of %s went from %s to %s", id, reference, before.Status, f.Status)
	case f.Status == refund.Pending && w.mayHave(f):
		w.violate(Refunds, "refund %s of %s is to be sent again; MTN may have it", id, reference)
	}
	w.note("  refund", reference, id, string(before.Status), string(f.Status), string(f.EndedBy), f.Code)
	claimed := before.Status == refund.Pending && f.Status == refund.Submitted
	if !claimed && !audited(reference, ops) {
		w.violate(Audited, "refund %s of %s became %s without an audit record in the same write", id, reference, f.Status)
	}
	if f.Status.Ended() {
		w.refundEnded(f, ops)
	}
}

// checkNewRefund: a refund is of a payment that was paid, and of no more than is
// left of it and of the app's day.
func (w *world) checkNewRefund(f ledger.Refund) {
	w.result.Stats.Refunds++
	p := w.books.payments[f.Payment]
	if t := w.truth(f.Payment); p.Status != payment.Successful || t.status != payment.Successful {
		w.violate(Refunds, "refund %s is of %s, which is %s; the provider's books say %q", f.ID, f.Payment, p.Status, t.status)
	}
	var sum int64
	open := 0
	for _, other := range w.books.refunds[f.Payment] {
		if other.Status != refund.Failed {
			sum += other.Amount.Minor
		}
		if other.Open() {
			open++
		}
	}
	if sum > p.Amount.Minor || open > 1 {
		w.violate(Refunds, "%s, over %s, has %d open refunds, and %d asked for in all", f.Payment, p.Amount, open, sum)
	}
	if f.Operator == "" {
		day := f.ClientID + f.CreatedAt.Format(" 2006-01-02 ") + f.Amount.Currency
		if w.books.refundDay[day] += f.Amount.Minor; w.books.refundDay[day] > refundsPerDay.Minor {
			w.violate(Refunds, "%s asked for %d back, more than its limit", day, w.books.refundDay[day])
		}
	}
}

// mayHave says whether MTN has a refund, or may still get it.
func (w *world) mayHave(f ledger.Refund) bool {
	e, _ := w.atMTN(f.Reference)
	return e.Accepted > 0 || w.books.sent[f.Reference] && !w.books.refused401[f.Reference]
}

// refundEnded: an ending is true, and is announced in the same write.
func (w *world) refundEnded(f ledger.Refund, ops []table.Op) {
	w.books.refundTold[f.Payment] = append(w.books.refundTold[f.Payment], map[refund.Status]payment.Event{
		refund.Successful: payment.EventRefundSuccessful, refund.Failed: payment.EventRefundFailed,
	}[f.Status])
	if !slices.ContainsFunc(ops, func(o table.Op) bool { return o.Record.Partition == "payment#"+f.Payment && o.Record.Sort == "payment" }) {
		w.violate(EventsOnce, "refund %s of %s became %s without its payment", f.ID, f.Payment, f.Status)
	}
	if w.running != nil && w.running.about == f.Reference && w.running.lie != "" && f.EndedBy == payment.FromStatus {
		w.violate(Refunds, "refund %s of %s is %s by an answer that had %s", f.ID, f.Payment, f.Status, w.running.lie)
	}
	stats := map[refund.Status]*int{refund.Successful: &w.result.Stats.Refunded, refund.Failed: &w.result.Stats.RefundsFailed}
	*stats[f.Status]++
	if f.Kind == refund.ByHand {
		return
	}
	e, _ := w.atMTN(f.Reference)
	fair := map[payment.Source]bool{
		payment.FromStatus:   e.Status == string(f.Status),
		payment.FromSubmit:   f.Status == refund.Failed && e.Accepted == 0,
		payment.FromAbsence:  f.Status == refund.Failed && !w.mayHave(f),
		payment.FromOperator: true, // by the portal, as settleRefunds read it
	}
	if !fair[f.EndedBy] || (f.Status == refund.Successful) != (e.Charges > 0) {
		w.violate(Refunds, "refund %s of %s is %s by %s; MTN's books say %q", f.ID, f.Payment, f.Status, f.EndedBy, e.Status)
	}
}

// sendsRefund: a refund is sent once, when it was taken to be sent, at the account
// that collected, for money that was paid and not given back.
func (w *world) sendsRefund(reference, kind string, at *platform) {
	of, known := w.books.refundOf[reference]
	f, p, t := w.books.refunds[of[0]][of[1]], w.books.payments[of[0]], w.truth(of[0])
	switch {
	case !known:
		w.violate(Refunds, "MTN is asked for the refund %s, which is not stored", reference)
	case f.Status == refund.Pending || string(f.Kind) != kind:
		w.violate(Refunds, "refund %s of %s, %s, is sent by %s while it is %s", f.ID, f.Payment, f.Kind, kind, f.Status)
	case p.AccountID() != at.id:
		w.violate(OwnAccount, "%s is asked for a refund of %s, which is with %s", at.id, f.Payment, p.AccountID())
	case t.status != payment.Successful:
		w.violate(Refunds, "refund %s of %s is sent; the provider's books say %q", f.ID, f.Payment, t.status)
	case w.books.sent[reference] && !w.books.refused401[reference]:
		w.violate(Refunds, "refund %s of %s is sent again", f.ID, f.Payment)
	case w.givenBack(f.Payment, reference)+f.Amount.Minor > p.Amount.Minor:
		w.violate(Refunds, "refund %s of %s, over %s, is sent; %d of %s is given back", f.ID, f.Payment, f.Amount, w.givenBack(f.Payment, reference), p.Amount)
	}
	w.books.refused401[reference] = false
}

// givenBack is what refunds of a payment have moved or may still move, but for
// one of them.
func (w *world) givenBack(reference, except string) (minor int64) {
	for _, f := range w.books.refunds[reference] {
		e, _ := w.atMTN(f.Reference)
		moves := f.Kind == refund.ByHand || e.Status != "FAILED" && w.mayHave(f) && f.Status != refund.Failed
		if f.Reference != except && (moves || e.Charges > 0) {
			minor += f.Amount.Minor
		}
	}
	return minor
}

func (w *world) asksAboutRefund(reference string, at *platform) {
	if p := w.books.payments[w.books.refundOf[reference][0]]; p.AccountID() != at.id {
		w.violate(OwnAccount, "%s is asked about the refund %s, which is with %s", at.id, reference, p.AccountID())
	}
}

// checkRefunds: at rest every refund has ended, truly.
func (w *world) checkRefunds(story ledger.Story) {
	for _, f := range story.Refunds {
		if f.Open() {
			w.violate(Refunds, "refund %s of %s is still %s (held: %t), next check %s", f.ID, f.Payment, f.Status, f.Held, f.NextCheckAt)
		}
	}
	for _, fault := range judge.Refunds(story, w.executed) {
		w.violate(Refunds, "%s: %s", story.Payment.Reference, fault.What)
	}
}

// executed is how often MTN has given a refund back.
func (w *world) executed(reference string) int {
	e, _ := w.atMTN(reference)
	return e.Charges
}

// checkPayout: what MTN was asked for besides payments is a refund of ours.
func (w *world) checkPayout(reference string, accepted, duplicates int) {
	if _, ours := w.books.refundOf[reference]; !ours || accepted > 1 || duplicates > 0 {
		w.violate(Refunds, "MTN took the refund %s %d times and was sent it %d times more; ours: %t", reference, accepted, duplicates, ours)
	}
}

// toldOfRefund: what an app reads about a refund is true.
func (w *world) toldOfRefund(a *app, id string, e announced) {
	f, known := w.books.refunds[e.ReferenceID][e.Refund.RefundID]
	if !known || string(f.Status) != e.Refund.Status || !strings.HasSuffix(string(e.Event), strings.ToLower(e.Refund.Status)) ||
		f.Amount.Decimal() != e.Refund.Amount || f.Kind != refund.ByHand && (f.Status == refund.Successful) != (w.executed(f.Reference) == 1) {
		w.violate(Refunds, "%s was told by %s, %s, that %q of %s is %s over %s; it is %s over %s and was executed %d times",
			a.name, id, e.Event, e.Refund.RefundID, e.ReferenceID, e.Refund.Status, e.Refund.Amount, f.Status, f.Amount, w.executed(f.Reference))
	}
}
