package simulation

import (
	"context"
	"maps"
	"slices"
	"time"

	"momoproxy/infra/judge"
	"momoproxy/infra/replay"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// giveUp is the age at which the last question about a payment is asked.
const giveUp = 7 * 24 * time.Hour

// slack is what the schedule's minutes and the provider's own time add to a
// reconcile bound.
const slack = 3 * time.Minute

// skewEver bounds how far a clock was ever off.
func (w *world) skewEver() time.Duration { return w.books.skew }

// endedBefore says whether every earlier event of a payment has ended.
func (w *world) endedBefore(reference string, sequence int) bool {
	ds, err := w.oracle.Deliveries(context.Background(), reference)
	if err != nil {
		return false
	}
	for _, d := range ds {
		if d.Sequence < sequence && (!d.State.Parked() || d.HeldForEndpoint()) {
			return false
		}
	}
	return true
}

// checkRest looks at everything when the world has come to rest.
func (w *world) checkRest() {
	if w.halted {
		return
	}
	succeeded := map[string]string{}
	for _, reference := range w.books.order {
		story, err := w.oracle.Story(context.Background(), reference)
		if err != nil {
			w.violate(NoPanic, "payment %s cannot be read: %v", reference, err)
			return
		}
		truth := w.truth(reference)
		w.count(story)
		w.judge(story, truth)
		w.checkEnd(story, truth)
		w.checkRefunds(story)
		w.checkDeliveries(story)
		w.checkTrail(story)
		w.checkIDs(story.Payment)
		w.checkTold(story, truth)
		w.checkOrder(story, truth, succeeded)
	}
	for _, l := range w.books.late {
		if l.by > bound(l.age) {
			w.violate(InTime, "%s was ended %s after its true end and the last fault", l.reference, l.by)
		}
	}
	w.checkPlatforms()
	for _, p := range w.parties {
		for _, e := range p.stand.Ledger() {
			if !p.repeats { // its books know nothing of our references
				break
			}
			w.checkBooks(e.Reference, e.Charges)
			if e.Accepted > 1 {
				w.violate(ChargedOnce, "%s has %d requests for %s", p.name, e.Accepted, e.Reference)
			}
		}
	}
	causes := w.causes()
	for _, a := range w.apps {
		w.checkTries(a, causes)
	}
	for _, e := range w.unhealthy() {
		if a := w.appOf(e.ClientID); a.broken() == "" && a.never == "" {
			w.violate(Available, "the endpoint of %s is still %s; nothing is wrong with it", a.name, e.State)
		}
	}
	w.checkProbes()
}

func (w *world) checkBooks(reference string, charges int) {
	if charges > 1 {
		w.violate(ChargedOnce, "%s was charged %d times", reference, charges)
	}
	if _, ok := w.books.payments[reference]; !ok {
		w.violate(ChargedOnce, "a provider was asked for %s, which is not stored", reference)
	}
}

// bound is the longest wait between two questions about an open payment of
// an age: it doubles the age, and asks at least hourly.
func bound(age time.Duration) time.Duration { return min(age, time.Hour) + 10*time.Second + slack }

func (w *world) checkEnd(story ledger.Story, t truth) {
	p := story.Payment
	switch {
	case p.Open() && p.Phase != payment.PhaseHeld:
		w.violate(InTime, "%s is still %s (%s), next check %s", p.Reference, p.Status, p.Phase, p.NextCheckAt)
	case w.invoiceMissed(p, t):
		w.violate(InTime, "%s has been SUCCESSFUL since %s; its invoice %s was never announced", p.Reference, p.EndedAt, t.invoice)
	case w.books.called[p.Reference] && p.Status != payment.Successful && p.Phase != payment.PhaseHeld:
		w.violate(InTime, "%s is %s by %s; the provider has called to say that it succeeded, and the status said so since", p.Reference, p.Status, p.EndedBy)
	case p.Phase == payment.PhaseHeld && len(w.books.lies[p.Reference]) == 0 && !t.made,
		p.Phase == payment.PhaseHeld && len(w.books.lies[p.Reference]) == 0 && sameMoney(p, t):
		w.violate(Evidence, "%s is held, and the provider never said anything odd", p.Reference)
	}
}

// invariantOf are the invariants of the judge's rules.
var invariantOf = map[judge.Rule]Invariant{
	judge.Paid: NoForgery, judge.Known: InTime, judge.Once: ChargedOnce,
	judge.Events: EventsOnce, judge.Arrivals: EventsOnce, judge.Own: Separation,
}

// judge compares charges, ledger and what the app received.
func (w *world) judge(story ledger.Story, t truth) {
	var heard []judge.Arrival
	for _, d := range story.Deliveries {
		for _, a := range w.apps {
			if got := a.received[d.EventID]; got != nil {
				heard = append(heard, judge.Arrival{EventID: d.EventID, ClientID: a.client.ID, Body: got.body, Taken: got.taken})
			}
		}
	}
	for _, f := range judge.Payment(story, t.charges, heard) {
		if f.Rule == judge.Known && !w.learnable(story.Payment, t) {
			continue
		}
		w.violate(invariantOf[f.Rule], "%s: %s", story.Payment.Reference, f.What)
	}
}

// learnable says whether the success of a payment that ended otherwise could
// be known. An ending that the provider named itself is not asked about
// again, and the last question comes at giveUp. Of a payment whose id was never
// learned nothing can be asked once it has ended: of those, a link that nobody
// was given, or one that the provider said it did not know.
func (w *world) learnable(p ledger.Payment, t truth) bool {
	switch p.EndedBy {
	case payment.FromStatus, payment.FromSubmit, payment.FromSignedWebhook, payment.FromOperator:
		return false
	}
	if of := w.party(p.Provider); of != nil && of.id != "" && p.IDs[of.id] == "" && (p.EndedBy == payment.FromClock || w.lied(p.Reference, absent)) {
		return false
	}
	return t.since.Before(p.CreatedAt.Add(giveUp - 10*time.Minute))
}

// invoiceMissed: an invoice is asked for during an hour after the success.
func (w *world) invoiceMissed(p ledger.Payment, t truth) bool {
	return t.invoice != "" && p.InvoiceURL == "" && p.Status == payment.Successful && p.EndedBy == payment.FromStatus &&
		p.EndedAt.After(w.books.calmAt) && t.since.Add(w.party(p.Provider).invoice).Before(p.EndedAt.Add(20*time.Minute))
}

func (w *world) checkDeliveries(story ledger.Story) {
	p := story.Payment
	a := w.appOf(p.ClientID)
	for _, d := range story.Deliveries {
		if d.Attempts > delivery.MaxAttempts {
			w.violate(DeadEndpoints, "event %d of %s was attempted %d times", d.Sequence, p.Reference, d.Attempts)
		}
		// Of its attempts: one that was asked for later may have met anything.
		gone := d.URL != "" && slices.ContainsFunc(story.Attempts, func(a delivery.Attempt) bool { return a.Sequence == d.Sequence && a.Code == 410 })
		if d.State == delivery.Exhausted && d.Attempts < delivery.MaxAttempts && !gone {
			w.violate(EventsOnce, "event %d of %s is exhausted after %d attempts and the answer %d", d.Sequence, p.Reference, d.Attempts, d.Last().Code)
		}
		switch {
		case !d.State.Parked():
			w.violate(EventsOnce, "event %d of %s is still %s", d.Sequence, p.Reference, d.State)
		case d.State == delivery.Exhausted && a.broken() == "" && a.never == "" && w.books.events[d.EventID].at.After(w.books.calmAt):
			w.violate(EventsOnce, "event %d of %s is exhausted; nothing was wrong with %s", d.Sequence, p.Reference, a.name)
		case d.State == delivery.Held && a.broken() == "" && w.oneHost && w.anyBroken():
			w.violate(Separation, "event %d of %s is held for %q; it is another app that is broken, not %s", d.Sequence, p.Reference, d.HeldReason, a.name)
		case d.State == delivery.Held && (a.broken() == "" || !d.HeldForEndpoint()):
			w.violate(EventsOnce, "event %d of %s is held for %q", d.Sequence, p.Reference, d.HeldReason)
		case d.State == delivery.Exhausted:
			w.result.Stats.Exhausted++
		}
	}
}

func (w *world) anyBroken() bool {
	return slices.ContainsFunc(w.apps, func(a *app) bool { return a.broken() != "" })
}

// checkIDs: an id leads to payments of the provider that gave it, and to no
// other's.
func (w *world) checkIDs(p ledger.Payment) {
	for _, id := range slices.Sorted(maps.Values(p.IDs)) {
		found, err := w.oracle.FindPayments(context.Background(), ledger.ID{Provider: p.Provider, ProviderID: id})
		if err != nil {
			w.violate(NoPanic, "payments with the id %s: %v", id, err)
			return
		}
		for _, other := range found {
			if other.Provider != p.Provider {
				w.violate(Separation, "the id %s of %s leads to %s, a payment with %s", id, p.Provider, other.Reference, other.Provider)
			}
		}
	}
}

// checkTrail: who asks the audit what happened gets an answer.
func (w *world) checkTrail(story ledger.Story) {
	trail, err := w.oracle.AuditTrail(context.Background(), story.Payment.Reference)
	if err != nil {
		w.violate(Audited, "audit of %s: %v", story.Payment.Reference, err)
		return
	}
	out := 0
	for _, r := range trail {
		if r.Direction == ledger.OutboundToApp {
			out++
		}
	}
	if out < len(story.Attempts) {
		w.violate(Audited, "%s has %d attempts and %d audit records of them", story.Payment.Reference, len(story.Attempts), out)
	}
	replayed, err := replay.Payment(context.Background(), story.Payment, trail)
	if err != nil {
		w.violate(Follows, "replay of %s: %v", story.Payment.Reference, err)
		return
	}
	if differs := replayed.Differs(story.Payment.Payment); differs != "" {
		w.violate(Follows, "%s does not follow from its audit trail: %s", story.Payment.Reference, differs)
	}
}

// checkTold: what an app received about a payment is still true.
func (w *world) checkTold(story ledger.Story, t truth) {
	p := story.Payment
	if w.books.refused[p.Reference] && (t.made || p.Status != payment.Failed) {
		w.violate(Answers, "%s was answered as refused; it is %s and the provider's books say %q", p.Reference, p.Status, t.status)
	}
	if w.books.success[p.Reference] && p.Status != payment.Successful {
		w.violate(Answers, "%s was told to be SUCCESSFUL and is %s", p.Reference, p.Status)
	}
}

// checkOrder: an order is paid once, unless a correction is on record.
func (w *world) checkOrder(story ledger.Story, t truth, succeeded map[string]string) {
	p := story.Payment
	if t.charges == 0 {
		return
	}
	id := p.ClientID + " " + p.ExternalID
	other, twice := succeeded[id]
	succeeded[id] = p.Reference
	if !twice {
		return
	}
	for _, reference := range []string{other, p.Reference} {
		q := w.books.payments[reference]
		// Ended otherwise once: corrected since, or by the provider's own word.
		if w.books.corrected[reference] || q.Status != payment.Successful {
			return
		}
	}
	w.violate(ChargedOnce, "order %s was paid by %s and by %s", id, other, p.Reference)
}

// checkProbes: after the faults everything works as if there had been none.
func (w *world) checkProbes() {
	for _, a := range w.apps {
		for _, o := range a.orders {
			if !o.plain {
				continue
			}
			ok := false
			for reference := range o.references {
				ok = ok || w.books.payments[reference].Status == payment.Successful
			}
			if !ok {
				w.violate(Available, "%s asked for a payment when all was well; told %v", a.name, o.references)
			}
		}
	}
}

func (w *world) appOf(clientID string) *app {
	for _, a := range w.apps {
		if a.client.ID == clientID {
			return a
		}
	}
	panic("simulation: no app " + clientID)
}

func (w *world) count(story ledger.Story) {
	s := &w.result.Stats
	s.Payments++
	s.Deliveries += len(story.Deliveries)
	if of := w.party(story.Payment.Provider); of != nil {
		*of.count(s)++
	}
	switch p := story.Payment; {
	case p.Status == payment.Successful:
		s.Successful++
		if w.books.corrected[p.Reference] {
			s.Corrected++
		}
	case p.Status == payment.Failed:
		s.Failed++
	case p.Status == payment.Timeout:
		s.Timeouts++
	case p.Status == payment.Cancelled:
		s.Cancelled++
	default:
		s.Held++
	}
}
