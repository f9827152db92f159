package ledger

import (
	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// deliveryFields lists what a delivery's record has, but for its attempts.
func deliveryFields(d *delivery.Delivery) func(fields) {
	return func(f fields) {
		f.text("client_id", &d.ClientID)
		f.text("event", (*string)(&d.Event))
		f.text("body", &d.Body)
		f.text("url", &d.URL)
		f.text("state", (*string)(&d.State))
		f.text("held_reason", &d.HeldReason)
		f.text("held_endpoint", &d.Endpoint)
		f.count("attempts", &d.Attempts)
		f.count("attempts_aside", &d.OffSchedule)
		f.count("claims", &d.Claims)
		f.time("next_attempt_at", &d.NextAttemptAt)
		f.time("manual_at", &d.RequestedAt)
		f.time("resent_at", &d.ResentAt)
		f.time("lease_until", &d.LeaseUntil)
		f.time("created_at", &d.CreatedAt)
		f.time("delivered_at", &d.DeliveredAt)
		f.count("resends", &d.Resends)
	}
}

func deliveryRecord(d delivery.Delivery) table.Record {
	w := writeFields(14, deliveryFields(&d))
	w.attempts("latest_attempts", d.Latest)
	index := map[string]table.IndexKey{IndexList: eventEntry(d)}
	if !d.DueAt().IsZero() {
		index[IndexDue] = dueDelivery(d)
	}
	switch d.State {
	case delivery.Exhausted:
		index[IndexAttention] = attentionExhausted(d.CreatedAt, d.ClientID, d.Reference, d.Sequence)
	case delivery.Held:
		index[IndexAttention] = attentionHeld(d.ClientID, d.Endpoint, d.CreatedAt, d.Reference, d.Sequence)
	}
	return table.Record{Key: deliveryKey(d.Reference, d.Sequence), Version: d.Version, Attributes: w, Index: index}
}

func deliveryFrom(rec table.Record) (delivery.Delivery, error) {
	d := delivery.Delivery{Reference: referenceOf(rec.Partition), Sequence: sequenceOf(rec.Sort), Version: rec.Version}
	r := readFields(rec, deliveryFields(&d))
	d.EventID = payment.EventID(d.Reference, d.Sequence)
	d.Latest = r.attempts("latest_attempts", d)
	if r.err == nil && (d.State == "" || d.Event == "" || d.Sequence == 0) {
		r.fail("state, event or sequence")
	}
	return d, r.err
}
