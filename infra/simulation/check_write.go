package simulation

import (
	"context"
	"errors"
	"strings"
	"time"

	"momoproxy/infra/sandbox"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// wrote looks at everything that was written, as it stands in the table.
func (w *world) wrote(ops []table.Op) {
	w.stale = true
	for _, op := range ops {
		k := op.Record.Key
		reference, ok := strings.CutPrefix(k.Partition, "payment#")
		switch {
		case strings.HasPrefix(k.Sort, "endpoint#"):
			w.countEndpoint(op.Record)
		case !ok || k.Space != table.Main:
		case k.Sort == "payment":
			w.changed(reference, ops)
		case strings.HasPrefix(k.Sort, "delivery#"):
			w.checkTaken(op.Record)
		}
	}
}

// countEndpoint counts how often circuits open and endpoints are disabled.
func (w *world) countEndpoint(r table.Record) {
	now := r.Attributes["state"]
	if before := w.books.state[r.Key]; before != now {
		switch now {
		case string(ledger.EndpointOpen):
			w.result.Stats.Opened++
		case string(ledger.EndpointDisabled):
			w.result.Stats.Disabled++
		}
	}
	w.books.state[r.Key] = now
}

// checkTaken: what an app has taken stays delivered, whoever asks for it again.
func (w *world) checkTaken(r table.Record) {
	id, _ := r.Attributes["event_id"].(string)
	delivered := r.Attributes["state"] == string(ledger.DeliveryDelivered)
	if w.books.delivered[id] && !delivered {
		w.violate(EventsOnce, "event %s was delivered and is %v", id, r.Attributes["state"])
	}
	w.books.delivered[id] = delivered
}

// changed holds one payment's change against what was and what is true.
func (w *world) changed(reference string, ops []table.Op) {
	story, err := w.oracle.Story(context.Background(), reference)
	if err != nil {
		w.violate(NoPanic, "payment %s cannot be read back: %v", reference, err)
		return
	}
	p := story.Payment
	before, known := w.books.payments[reference]
	w.books.payments[reference] = p
	if !known {
		w.books.order = append(w.books.order, reference)
		w.books.created[reference] = time.Now()
		if p.Status != payment.Pending || p.Sequence != 0 || len(story.Deliveries) != 0 {
			w.violate(Evidence, "%s begins as %s, sequence %d", reference, p.Status, p.Sequence)
		}
		return
	}
	w.checkEvents(before, story)
	if p.Status == before.Status {
		return
	}
	w.note("  status", reference, string(before.Status), string(p.Status), string(p.EndedBy), p.Reason)
	if before.Status == payment.Successful || before.Status.Ended() && p.Status != payment.Successful || !p.Status.Ended() {
		w.violate(Evidence, "%s went from %s to %s", reference, before.Status, p.Status)
	}
	if !audited(reference, ops) {
		w.violate(Audited, "%s became %s without an audit record in the same write", reference, p.Status)
	}
	w.checkTruth(before, p)
}

// checkEvents: the events are those of the endings, numbered from one.
func (w *world) checkEvents(before ledger.Payment, story ledger.Story) {
	p := story.Payment
	want := before.Sequence
	if p.Status != before.Status {
		want++
	}
	if p.Sequence != want || len(story.Deliveries) != want {
		w.violate(EventsOnce, "%s is %s at sequence %d with %d events, want %d", p.Reference, p.Status, p.Sequence, len(story.Deliveries), want)
		return
	}
	for i, d := range story.Deliveries {
		if d.Sequence != i+1 || d.ClientID != p.ClientID {
			w.violate(EventsOnce, "%s has event %d of client %s at place %d", p.Reference, d.Sequence, d.ClientID, i+1)
		}
	}
}

func audited(reference string, ops []table.Op) bool {
	for _, op := range ops {
		if op.Record.Space == table.Audit && op.Record.Partition == "payment#"+reference {
			return true
		}
	}
	return false
}

// checkTruth: no ending but on what the provider really said.
func (w *world) checkTruth(before, p ledger.Payment) {
	truth, asked := w.provider.Payment(p.Reference)
	// Its age counts from a moment before the write that made it.
	age := time.Since(w.books.created[p.Reference])
	switch p.EndedBy {
	case payment.FromSubmit:
		if p.Status != payment.Failed || asked && truth.Accepted > 0 {
			w.violate(Evidence, "%s is %s by the answer to its request, which the provider accepted", p.Reference, p.Status)
		}
	case payment.FromStatus:
		w.checkAnswer(p, truth)
	case payment.FromClock:
		if p.Status != payment.Timeout || age < 24*time.Hour-time.Minute-2*w.skewEver() {
			w.violate(Evidence, "%s is %s by the clock at age %s", p.Reference, p.Status, age)
		}
	case payment.FromAbsence:
		// Clocks that are minutes apart shorten the grace that a request on
		// its way has; the correction mends it.
		young := w.skewEver() > 0 && age < 5*time.Minute+2*w.skewEver()
		if truth.Accepted > 0 && !young && !w.lied(p.Reference, sandbox.NotFound) {
			w.violate(Evidence, "%s is %s though the provider has it", p.Reference, p.Status)
		}
		if p.Status != payment.Failed || age < 90*time.Second-2*w.skewEver() {
			w.violate(Evidence, "%s is %s by absence at age %s", p.Reference, p.Status, age)
		}
	default:
		w.violate(Evidence, "%s was ended by %q", p.Reference, p.EndedBy)
	}
	if p.Status == payment.Successful && p.EndedBy != payment.FromStatus {
		w.violate(NoForgery, "%s is SUCCESSFUL by %s", p.Reference, p.EndedBy)
	}
	if w.calm && p.EndedBy == payment.FromStatus {
		w.noteLateness(before, p, truth)
	}
}

// checkAnswer: a status answer said so, at some time until now.
func (w *world) checkAnswer(p ledger.Payment, truth sandbox.Entry) {
	now := time.Now()
	if f := w.current.lie; w.current.about == p.Reference && f != "" {
		w.violate(NoForgery, "%s is %s by an answer that had %s", p.Reference, p.Status, f)
	}
	switch p.Status {
	case payment.Successful:
		if truth.Status != "SUCCESSFUL" {
			w.violate(NoForgery, "%s is SUCCESSFUL; the provider's books say %q", p.Reference, truth.Status)
		} else if !sameMoney(p, truth) {
			w.violate(NoForgery, "%s over %s is SUCCESSFUL; the provider moved %s %s of %s", p.Reference, p.Amount, truth.Amount, truth.Currency, truth.Payer)
		}
	case payment.Failed, payment.Cancelled:
		for _, s := range w.books.plans[p.Reference].Steps {
			if s.Status == "FAILED" && truth.Accepted > 0 && !truth.Created.Add(s.After).After(now) {
				return
			}
		}
		w.violate(Evidence, "%s is %s; the provider never said so", p.Reference, p.Status)
	default:
		w.violate(Evidence, "%s is %s by a status answer", p.Reference, p.Status)
	}
}

func sameMoney(p ledger.Payment, truth sandbox.Entry) bool {
	m, err := payment.ParseReported(truth.Amount, truth.Currency)
	return err == nil && m == p.Amount && truth.Payer == string(p.Payer) && truth.ExternalID == p.Reference
}

func (w *world) lied(reference string, about sandbox.Fault) bool {
	for _, f := range w.books.lies[reference] {
		if f == about {
			return true
		}
	}
	return false
}

// asks notes a request to pay on its way to the provider.
func (w *world) asks(reference, content string) {
	inv := w.current
	if first, ok := w.books.asker[reference]; ok && first != inv {
		w.violate(ChargedOnce, "%s was asked for by %s and again by %s", reference, first.name, inv.name)
	}
	if c, ok := w.books.content[reference]; ok && c != content {
		w.violate(ChargedOnce, "%s was asked for with other content", reference)
	}
	if _, err := w.oracle.Payment(context.Background(), reference); errors.Is(err, ledger.ErrNotFound) {
		w.violate(ChargedOnce, "%s was asked for without being stored", reference)
	}
	w.books.asker[reference], w.books.content[reference] = inv, content
	inv.asked = append(inv.asked, reference)
}

// noteLateness remembers how long after its true end, and after the last
// fault, a payment was ended.
func (w *world) noteLateness(before, p ledger.Payment, truth sandbox.Entry) {
	if before.Status.Ended() {
		return
	}
	since := truth.Since
	if since.Before(w.books.calmAt) {
		since = w.books.calmAt
	}
	w.books.late = append(w.books.late, lateness{p.Reference, time.Since(since), time.Since(w.books.created[p.Reference])})
}
