package ledger

import (
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/telemetry"
)

// deliveryFields lists what a delivery's record has.
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
		f.attempts("latest_attempts", d)
	}
}

func deliveryRecord(d delivery.Delivery) table.Record {
	index := map[string]table.IndexKey{IndexList: eventEntry(d)}
	if !d.DueAt().IsZero() {
		index[IndexDue] = dueDelivery(d)
	}
	a := Attention{At: d.CreatedAt, ClientID: d.ClientID, Endpoint: d.Endpoint, Reference: d.Reference, Sequence: d.Sequence}
	switch d.State {
	case delivery.Exhausted:
		a.Kind = AttentionExhausted
		index[IndexAttention] = a.entry()
	case delivery.Held:
		a.Kind = AttentionHeld
		index[IndexAttention] = a.entry()
	}
	return table.Record{Key: deliveryKey(d.Reference, d.Sequence), Version: d.Version, Attributes: writeFields(14, deliveryFields(&d)), Index: index}
}

func deliveryFrom(rec table.Record) (delivery.Delivery, error) {
	d := delivery.Delivery{Reference: referenceOf(rec.Partition), Sequence: sequenceOf(rec.Sort), Version: rec.Version}
	r := readFields(rec, deliveryFields(&d))
	d.EventID = payment.EventID(d.Reference, d.Sequence)
	if r.err == nil && (d.State == "" || d.Event == "" || d.Sequence == 0) {
		r.fail("state, event or sequence")
	}
	return d, r.err
}

// storedAttempt has short names: a delivery and its attempts are one record,
// and a record of up to a kibibyte costs one write unit.
type storedAttempt struct {
	Number   int            `json:"n"`
	Cause    delivery.Cause `json:"c"`
	Started  int64          `json:"t"` // milliseconds
	Duration int64          `json:"d,omitempty"`
	Code     int            `json:"s,omitempty"`
	Error    string         `json:"e,omitempty"`
	Excerpt  string         `json:"x,omitempty"`
	Location string         `json:"l,omitempty"`
	TLSFault string         `json:"f,omitempty"`
}

func (f fields) attempts(name string, d *delivery.Delivery) {
	stored := make([]storedAttempt, len(d.Latest))
	for i, a := range d.Latest {
		stored[i] = storedAttempt{
			a.Number, a.Cause, millis(a.Started), a.Duration.Milliseconds(), a.Code, a.Error,
			telemetry.Redact(a.Excerpt), telemetry.Redact(a.Location), a.TLSFault, // an app may echo its own key
		}
	}
	if f.json(name, &stored, len(stored)); f.from == nil || len(stored) == 0 {
		return
	}
	d.Latest = make([]delivery.Attempt, len(stored))
	for i, a := range stored {
		d.Latest[i] = delivery.Attempt{
			Reference: d.Reference, Sequence: d.Sequence, Number: a.Number, Cause: a.Cause, Started: fromMillis(a.Started),
			Duration: time.Duration(a.Duration) * time.Millisecond, Code: a.Code, Error: a.Error,
			Excerpt: a.Excerpt, Location: a.Location, TLSFault: a.TLSFault,
		}
	}
}
