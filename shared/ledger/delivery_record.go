package ledger

import (
	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

func deliveryRecord(d delivery.Delivery) table.Record {
	w := make(writer, 14)
	w.text("client_id", d.ClientID)
	w.text("event", string(d.Event))
	w.text("body", d.Body)
	w.text("url", d.URL)
	w.text("state", string(d.State))
	w.text("held_reason", d.HeldReason)
	w.text("held_endpoint", d.Endpoint)
	w.number("attempts", int64(d.Attempts))
	w.number("attempts_aside", int64(d.OffSchedule))
	w.number("claims", int64(d.Claims))
	w.time("next_attempt_at", d.NextAttemptAt)
	w.time("manual_at", d.RequestedAt)
	w.time("resent_at", d.ResentAt)
	w.time("lease_until", d.LeaseUntil)
	w.time("created_at", d.CreatedAt)
	w.time("delivered_at", d.DeliveredAt)
	w.number("resends", int64(d.Resends))
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
	r := &reader{rec: rec}
	d := delivery.Delivery{
		Reference:     referenceOf(rec.Partition),
		Sequence:      sequenceOf(rec.Sort),
		ClientID:      r.text("client_id"),
		Event:         payment.Event(r.text("event")),
		Body:          r.text("body"),
		URL:           r.text("url"),
		State:         delivery.State(r.text("state")),
		HeldReason:    r.text("held_reason"),
		Endpoint:      r.text("held_endpoint"),
		Attempts:      int(r.number("attempts")),
		OffSchedule:   int(r.number("attempts_aside")),
		Claims:        int(r.number("claims")),
		NextAttemptAt: r.time("next_attempt_at"),
		RequestedAt:   r.time("manual_at"),
		ResentAt:      r.time("resent_at"),
		LeaseUntil:    r.time("lease_until"),
		CreatedAt:     r.time("created_at"),
		DeliveredAt:   r.time("delivered_at"),
		Resends:       int(r.number("resends")),
		Version:       rec.Version,
	}
	d.EventID = payment.EventID(d.Reference, d.Sequence)
	d.Latest = r.attempts("latest_attempts", d)
	if r.err == nil && (d.State == "" || d.Event == "" || d.Sequence == 0) {
		r.fail("state, event or sequence")
	}
	return d, r.err
}
