package simulation

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// wrote looks at everything that was written, as it stands in the table.
func (w *world) wrote(ops []table.Op) {
	w.stale = true
	for _, op := range ops {
		k := op.Record.Key
		w.books.written[k] = time.Now()
		reference, ok := strings.CutPrefix(k.Partition, "payment#")
		switch {
		case strings.HasPrefix(k.Partition, "endpoint#"):
			w.countEndpoint(op.Record)
		case strings.HasPrefix(k.Partition, "token#"):
			w.noteToken(op.Record)
		case !ok || k.Space != table.Main:
		case strings.HasPrefix(k.Sort, "refund#"):
			w.refundChanged(reference, strings.TrimPrefix(k.Sort, "refund#"), ops)
		case k.Sort == "payment":
			w.changed(reference, ops)
		case strings.HasPrefix(k.Sort, "delivery#"):
			w.checkTaken(op.Record)
			w.entersList(op.Record)
		}
	}
}

// countEndpoint counts how often circuits open and endpoints are disabled.
func (w *world) countEndpoint(r table.Record) {
	now := r.Attributes["state"]
	if before := w.books.state[r.Key]; before != now {
		switch now {
		case string(delivery.EndpointOpen):
			w.result.Stats.Opened++
		case string(delivery.EndpointDisabled):
			w.result.Stats.Disabled++
			client, _ := r.Attributes["client_id"].(string)
			if a := w.appOf(client); r.Attributes["disabled_reason"] == delivery.DisabledGone && !a.gone {
				w.violate(Available, "the endpoint of %s is disabled; only a payment's own URL has answered 410", a.name)
			}
		}
	}
	w.books.state[r.Key] = now
}

// checkTaken: what an app has taken stays delivered when anybody asks for it again.
func (w *world) checkTaken(r table.Record) {
	id := r.Partition + "/" + r.Sort
	delivered := r.Attributes["state"] == string(delivery.Delivered)
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
	w.checkSent(p)
	w.learnIDs(before, p)
	if p.Unanswerable && !before.Unanswerable {
		w.result.Stats.Unanswerable++
	}
	if p.Status == before.Status {
		return
	}
	if before.Status.Ended() && p.Status == payment.Successful {
		w.books.corrected[reference] = true
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

// checkEvents: the events are those of the endings, and of the invoice behind
// them, numbered from one.
func (w *world) checkEvents(before ledger.Payment, story ledger.Story) {
	p := story.Payment
	var fresh []payment.Event
	if p.Status != before.Status {
		fresh = append(fresh, endings[p.Status])
	}
	if p.InvoiceURL != before.InvoiceURL {
		fresh = append(fresh, payment.EventInvoice)
		w.result.Stats.Invoices++
		w.checkInvoice(p)
	}
	fresh = append(fresh, w.books.refundTold[p.Reference]...)
	delete(w.books.refundTold, p.Reference)
	want := before.Sequence + len(fresh)
	if p.Sequence != want || len(story.Deliveries) != want {
		w.violate(EventsOnce, "%s is %s at sequence %d with %d events, want %d", p.Reference, p.Status, p.Sequence, len(story.Deliveries), want)
		return
	}
	for i, d := range story.Deliveries {
		if d.Sequence != i+1 || d.ClientID != p.ClientID {
			w.violate(EventsOnce, "%s has event %d of client %s at place %d", p.Reference, d.Sequence, d.ClientID, i+1)
		}
		if n := i - before.Sequence; n >= 0 && d.Event != fresh[n] {
			w.violate(EventsOnce, "event %d of %s is %s, want %s", d.Sequence, p.Reference, d.Event, fresh[n])
		}
		if _, known := w.books.events[d.EventID]; !known {
			w.books.events[d.EventID] = made{p.Reference, d.Sequence, d.Event, time.Now()}
		}
	}
}

// endings are the events of each.
var endings = map[payment.Status]payment.Event{
	payment.Successful: payment.EventSuccessful, payment.Failed: payment.EventFailed,
	payment.Timeout: payment.EventTimeout, payment.Cancelled: payment.EventCancelled,
}

// learnIDs keeps the ids that a provider has given a payment.
func (w *world) learnIDs(before, p ledger.Payment) {
	for _, name := range slices.Sorted(maps.Keys(p.IDs)) {
		if _, known := before.IDs[name]; !known {
			w.books.ids = append(w.books.ids, p.IDs[name])
			w.books.told[p.Reference] = time.Now()
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

// asks notes a request to pay on its way to the provider.
func (w *world) asks(reference, content string) {
	inv := w.current
	of := w.party(w.books.payments[reference].Provider)
	if first, ok := w.books.asker[reference]; ok && first != inv && (of == nil || !of.repeats) {
		w.violate(ChargedOnce, "%s was asked for by %s and again by %s", reference, first.name, inv.name)
	}
	if c, ok := w.books.content[reference]; ok && c != content {
		w.violate(ChargedOnce, "%s was asked for with other content", reference)
	}
	if _, err := w.oracle.Payment(context.Background(), reference); errors.Is(err, ledger.ErrNotFound) {
		w.violate(ChargedOnce, "%s was asked for without being stored", reference)
	}
	if _, ok := w.books.asker[reference]; !ok {
		w.books.asker[reference] = inv
	}
	w.books.content[reference] = content
	if w.books.asker[reference] == inv {
		inv.asked = append(inv.asked, reference)
	}
}
