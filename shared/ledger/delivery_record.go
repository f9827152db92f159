package ledger

import (
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// DeliveryState says where the announcement of one event stands.
type DeliveryState string

const (
	// DeliveryWaiting: an earlier event of the same payment has not ended.
	DeliveryWaiting DeliveryState = "waiting"
	// DeliveryDue: to be attempted at NextAttemptAt.
	DeliveryDue DeliveryState = "due"
	// DeliveryDelivered: the app answered 2xx.
	DeliveryDelivered DeliveryState = "delivered"
	// DeliveryExhausted: every attempt of the schedule failed. Kept.
	DeliveryExhausted DeliveryState = "exhausted"
	// DeliveryHeld: cannot be attempted now (HeldReason says why). Kept. One
	// that is held for its endpoint goes on when that does; any other needs
	// an operator.
	DeliveryHeld DeliveryState = "held"
)

// Ended says whether it has no next attempt of its own.
func (s DeliveryState) Ended() bool {
	return s == DeliveryDelivered || s == DeliveryExhausted || s == DeliveryHeld
}

// Delivery is one event and the state of its delivery. Body never changes.
type Delivery struct {
	Reference string
	Sequence  int
	ClientID  string
	EventID   string
	Event     payment.Event
	Body      string // the exact bytes to sign and send
	URL       string // the payment's own callback URL; empty: the client's

	State      DeliveryState
	HeldReason string
	// Endpoint is the origin of the endpoint it is held for; empty: it is
	// not held, or for something else.
	Endpoint      string
	Attempts      int       // attempts that counted against the schedule
	Aside         int       // attempts beside it: manual ones and probes
	Claims        int       // claims made; numbers the attempts
	NextAttemptAt time.Time // zero unless waiting or due
	// ManualAt is when somebody asked for an attempt that has not been made
	// yet; zero: nobody. It stands beside the schedule, whatever State is.
	ManualAt    time.Time
	ResentAt    time.Time // when an attempt was last asked for; zero: never
	LeaseUntil  time.Time // a worker holds it until then; zero: nobody
	CreatedAt   time.Time
	DeliveredAt time.Time
	LastCode    int    // HTTP status of the latest attempt; 0: none came
	LastError   string // class of the latest transport error

	version int64
}

// HeldForEndpoint says whether it goes on when its endpoint does.
func (d Delivery) HeldForEndpoint() bool { return d.State == DeliveryHeld && d.Endpoint != "" }

// DueAt is when somebody has to look at it next: for its next attempt, or for
// one that was asked for. Zero: never.
func (d Delivery) DueAt() time.Time {
	if d.NextAttemptAt.IsZero() || !d.ManualAt.IsZero() && d.ManualAt.Before(d.NextAttemptAt) {
		return d.ManualAt
	}
	return d.NextAttemptAt
}

func (d Delivery) record() table.Record {
	w := writer{}
	w.text("client_id", d.ClientID)
	w.text("event_id", d.EventID)
	w.text("event", string(d.Event))
	w.text("body", d.Body)
	w.text("url", d.URL)
	w.text("state", string(d.State))
	w.text("held_reason", d.HeldReason)
	w.text("held_endpoint", d.Endpoint)
	w.number("attempts", int64(d.Attempts))
	w.number("attempts_aside", int64(d.Aside))
	w.number("claims", int64(d.Claims))
	w.time("next_attempt_at", d.NextAttemptAt)
	w.time("manual_at", d.ManualAt)
	w.time("resent_at", d.ResentAt)
	w.time("lease_until", d.LeaseUntil)
	w.time("created_at", d.CreatedAt)
	w.time("delivered_at", d.DeliveredAt)
	w.number("last_code", int64(d.LastCode))
	w.text("last_error", d.LastError)
	index := map[string]table.IndexKey{}
	if !d.DueAt().IsZero() {
		index[IndexDue] = dueDelivery(d)
	}
	switch d.State {
	case DeliveryExhausted:
		index[IndexAttention] = attentionExhausted(d.CreatedAt, d.ClientID, d.Reference, d.Sequence)
	case DeliveryHeld:
		index[IndexAttention] = attentionHeld(d.ClientID, d.Endpoint, d.CreatedAt, d.Reference, d.Sequence)
	}
	return table.Record{Key: deliveryKey(d.Reference, d.Sequence), Version: d.version, Attributes: w, Index: index}
}

func deliveryFrom(rec table.Record) (Delivery, error) {
	r := &reader{rec: rec}
	d := Delivery{
		Reference:     referenceOf(rec.Partition),
		Sequence:      sequenceOf(rec.Sort),
		ClientID:      r.text("client_id"),
		EventID:       r.text("event_id"),
		Event:         payment.Event(r.text("event")),
		Body:          r.text("body"),
		URL:           r.text("url"),
		State:         DeliveryState(r.text("state")),
		HeldReason:    r.text("held_reason"),
		Endpoint:      r.text("held_endpoint"),
		Attempts:      int(r.number("attempts")),
		Aside:         int(r.number("attempts_aside")),
		Claims:        int(r.number("claims")),
		NextAttemptAt: r.time("next_attempt_at"),
		ManualAt:      r.time("manual_at"),
		ResentAt:      r.time("resent_at"),
		LeaseUntil:    r.time("lease_until"),
		CreatedAt:     r.time("created_at"),
		DeliveredAt:   r.time("delivered_at"),
		LastCode:      int(r.number("last_code")),
		LastError:     r.text("last_error"),
		version:       rec.Version,
	}
	if r.err == nil && (d.State == "" || d.EventID == "" || d.Sequence == 0) {
		r.fail("state, event_id or sequence")
	}
	return d, r.err
}
