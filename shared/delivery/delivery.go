package delivery

import (
	"errors"
	"time"

	"momoproxy/shared/payment"
)

// State says where the announcement of one event stands.
type State string

const (
	// Waiting: an earlier event of the same payment is not finished.
	Waiting State = "waiting"
	// Due: to be attempted at NextAttemptAt.
	Due State = "due"
	// Delivered: the app answered 2xx.
	Delivered State = "delivered"
	// Exhausted: every attempt of the schedule failed. Kept.
	Exhausted State = "exhausted"
	// Held: cannot be attempted now; HeldReason says why. Kept. A delivery
	// held for its endpoint continues when the endpoint recovers; any other
	// needs an operator.
	Held State = "held"
)

// Parked says whether there is no next attempt of its own.
func (s State) Parked() bool { return s == Delivered || s == Exhausted || s == Held }

// Values of Delivery.HeldReason.
const (
	HeldNoURL = "no_callback_url" // neither the payment nor the client has one
	// HeldOpen: the endpoint's circuit is open. Released when it recovers.
	HeldOpen = "endpoint_open"
	// HeldDisabled: the endpoint has failed for days. HeldGone: it answered
	// 410, or asked to be disabled. Released when an operator enables it.
	HeldDisabled = "endpoint_disabled"
	HeldGone     = "endpoint_gone"
	// HeldUnreadable: the client's record, or what it seals, cannot be read.
	HeldUnreadable = "client_unreadable"
	// HeldUnsignable: the client has no usable signing secret.
	HeldUnsignable = "no_signing_secret"
)

// Delivery is one event and the state of its delivery. Body never changes. A
// method that changes the state returns the next value; saving it is the
// caller's job.
type Delivery struct {
	Reference string
	Sequence  int
	ClientID  string
	EventID   string
	Event     payment.Event
	Body      string // the exact bytes to sign and send
	URL       string // the payment's own callback URL; empty: the client's

	State      State
	HeldReason string
	// Endpoint is the origin of the endpoint it is held for; empty: it is
	// not held, or for another reason.
	Endpoint      string
	Attempts      int       // attempts that counted against the schedule
	OffSchedule   int       // attempts off the schedule: manual ones and probes
	Claims        int       // claims made; numbers the attempts
	NextAttemptAt time.Time // zero unless waiting or due
	// RequestedAt is when an attempt that was requested, and has not been made
	// yet, is due; zero: none. It is independent of State.
	RequestedAt time.Time
	ResentAt    time.Time // when an attempt was last requested; zero: never
	LeaseUntil  time.Time // a worker holds it until then; zero: none
	CreatedAt   time.Time
	DeliveredAt time.Time
	Resends     int // manual attempts made
	// Latest are the latest KeptAttempts attempts, oldest first. An attempt
	// whose worker died, or lost its claim, is not among them.
	Latest []Attempt

	Version int64 // of the stored record; 0: not stored. The ledger sets it
}

// New is the delivery of one event of a payment, due at once. Behind an
// earlier event it waits: the forwarder finds out for what.
func New(p payment.Payment, e payment.Event, sequence int, body string) Delivery {
	d := Delivery{
		Reference: p.Reference, Sequence: sequence, ClientID: p.ClientID,
		EventID: payment.EventID(p.Reference, sequence), Event: e, Body: body, URL: p.CallbackURL,
		State: Due, NextAttemptAt: p.UpdatedAt, CreatedAt: p.UpdatedAt,
	}
	if sequence > 1 {
		d.State = Waiting
	}
	return d
}

// HeldForEndpoint says whether it continues when its endpoint does.
func (d Delivery) HeldForEndpoint() bool { return d.State == Held && d.Endpoint != "" }

// Cause says why it would be attempted now; empty: it would not.
func (d Delivery) Cause() Cause {
	switch {
	case !d.RequestedAt.IsZero():
		return CauseManual
	case d.HeldForEndpoint():
		return CauseProbe
	case d.State.Parked():
		return ""
	}
	return CauseAutomatic
}

// DueAt is when it is next looked at: for its next attempt, or for one that
// was requested. Zero: never.
func (d Delivery) DueAt() time.Time {
	if d.NextAttemptAt.IsZero() || !d.RequestedAt.IsZero() && d.RequestedAt.Before(d.NextAttemptAt) {
		return d.RequestedAt
	}
	return d.NextAttemptAt
}

// Last is the latest attempt; the zero value: there is none.
func (d Delivery) Last() Attempt {
	if n := len(d.Latest); n > 0 {
		return d.Latest[n-1]
	}
	return Attempt{}
}

// Claim takes it for one worker until the lease ends. Saving the claim raises
// the version, which fences every earlier claim: two workers can never both
// save a result.
func (d Delivery) Claim(until time.Time) Delivery {
	if !d.State.Parked() {
		d.State = Due
	}
	d.LeaseUntil = until
	d.Claims++
	return d
}

// After is the delivery when a claimed attempt has ended as Decide says.
func (d Delivery) After(a Attempt, next Next, now time.Time) Delivery {
	a.Reference, a.Sequence, a.Number = d.Reference, d.Sequence, d.Claims
	if next.Charged {
		d.Attempts++
	}
	if a.Cause != CauseAutomatic {
		d.OffSchedule++
	}
	if a.Cause == CauseManual {
		d.Resends++
	}
	d.RequestedAt, d.LeaseUntil = time.Time{}, time.Time{}
	d.Latest = keep(d.Latest, a)
	resent := d.State == Delivered
	switch {
	case next.Step == StepKeep, resent, next.Step == StepGone && a.Cause != CauseAutomatic:
	case next.Step == StepDelivered:
		d.State, d.DeliveredAt = Delivered, now
		d.HeldReason, d.Endpoint, d.NextAttemptAt = "", "", time.Time{}
	case next.Step == StepRetry:
		d.State, d.NextAttemptAt = Due, stamp(next.At)
	case next.Step == StepGone:
		// It is held once its endpoint is stored as disabled, and not before:
		// a worker that dies in between leaves nothing stranded.
		d.State, d.NextAttemptAt = Due, stamp(now.Add(Wait(d.Attempts+1, 0.5)))
	default:
		d.State = Exhausted
		d.HeldReason, d.Endpoint, d.NextAttemptAt = "", "", time.Time{}
	}
	return d
}

// Hold parks it for an operator. One that is parked already, and was only
// requested again, stays as it is.
func (d Delivery) Hold(reason string) Delivery {
	d.RequestedAt = time.Time{}
	if !d.State.Parked() {
		d.State, d.HeldReason, d.NextAttemptAt = Held, reason, time.Time{}
	}
	return d
}

// HoldFor parks it until a blocked endpoint recovers. It must be saved only if
// the endpoint is still stored as given.
func (d Delivery) HoldFor(e Endpoint) Delivery {
	d.State, d.HeldReason, d.Endpoint = Held, e.heldReason(), e.Origin
	d.NextAttemptAt, d.LeaseUntil = time.Time{}, time.Time{}
	return d
}

// Release makes a held delivery due; its schedule continues where it stood.
func (d Delivery) Release(at time.Time) Delivery {
	d.State, d.HeldReason, d.Endpoint, d.NextAttemptAt = Due, "", "", at
	return d
}

// Postpone moves the attempt that is due now. It uses up nothing of the
// schedule, and a requested attempt is still made.
func (d Delivery) Postpone(at time.Time) Delivery {
	if !d.RequestedAt.IsZero() {
		d.RequestedAt = stamp(at)
	} else {
		d.State, d.NextAttemptAt = Due, stamp(at)
	}
	return d
}

// WaitFor postpones it until an earlier event of its payment was due or leased,
// plus a lease.
func (d Delivery) WaitFor(earlier Delivery, now time.Time, lease time.Duration) Delivery {
	at := earlier.NextAttemptAt
	for _, t := range []time.Time{earlier.LeaseUntil, now} {
		if t.After(at) {
			at = t
		}
	}
	d.State, d.NextAttemptAt = Waiting, at.Add(lease)
	return d
}

// Cancel drops a requested attempt that cannot be made.
func (d Delivery) Cancel() Delivery {
	d.RequestedAt = time.Time{}
	return d
}

// ErrUnderway: the delivery is being attempted, an attempt is already
// requested, or it waits for an earlier event of its payment. It continues
// without help.
var ErrUnderway = errors.New("delivery is under way")

// Resend requests one attempt under the same event id and with the same
// bytes. The attempt is off the schedule: if it fails, the delivery stays what
// it was (delivered, exhausted, held, due later). A delivery that is held for
// another reason than its endpoint is released instead, and its schedule
// continues. ErrUnderway: there is nothing to do.
func (d Delivery) Resend(at time.Time) (Delivery, error) {
	if d.State == Waiting || !d.RequestedAt.IsZero() || at.Before(d.LeaseUntil) {
		return d, ErrUnderway
	}
	d.ResentAt, d.LeaseUntil = at, time.Time{}
	if d.State == Held && !d.HeldForEndpoint() {
		return d.Release(at), nil
	}
	d.RequestedAt = at
	return d, nil
}

// Find picks an event out of its payment's deliveries, with the earlier one it
// has to wait for, if there is one: an earlier one that is due or waiting, or
// held for its endpoint. One that is exhausted, or held for an operator, blocks
// nothing.
func Find(all []Delivery, sequence int) (d Delivery, predecessor *Delivery, ok bool) {
	for _, other := range all {
		switch {
		case other.Sequence == sequence:
			return other, predecessor, true
		case !other.State.Parked() || other.HeldForEndpoint():
			predecessor = &other
		}
	}
	return Delivery{}, nil, false
}

// Following is the next event of the payment that is not parked, due now; nil:
// none.
func Following(all []Delivery, sequence int) *Delivery {
	for _, d := range all {
		if d.Sequence > sequence && !d.State.Parked() {
			d.NextAttemptAt = time.Time{}
			return &d
		}
	}
	return nil
}

// stamp turns a time into the form that is stored: UTC, milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
