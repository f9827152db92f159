// Package delivery brings each event to its app: when to try, what an answer
// means, how well an endpoint is, the forwarder that makes the attempts and
// the sweeper that sees to it that none is forgotten. The table says what is
// due; queue messages only say where to look.
//
// An event has a schedule, an endpoint has a circuit breaker, and they meet so:
// an event that falls due while its endpoint's circuit is open is held, which
// costs it nothing. When the endpoint is back it is let go, and its schedule
// goes on with the attempt that was due. So an outage uses up a schedule only
// as far as the attempts that were really made. Probes are made with held
// events, in turn, and are not charged to them. An attempt that somebody asked
// for stands beside both: it is made even while the circuit is open, its
// failure changes nothing, and its success closes the circuit.
//
// A circuit opens when attempts have failed, and one that hangs takes ten
// seconds to. So attempts that are left waiting count before that: a few of
// them, with no answer to any, put off the endpoint's further events until it
// is known what became of them.
//
// Within one payment an event waits for the earlier ones: for one that is due
// or waiting, and for one that is held for its endpoint. One that is exhausted,
// or held for something that only an operator can mend, holds up nobody.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// lease is how long a worker holds a delivery: the 10 s of an attempt and the
// writes around it, with room.
const lease = 30 * time.Second

const (
	// early is how much before its time an attempt may be made, so that
	// clocks that differ a little do not send a doorbell round once more.
	early = time.Second
	// nearly is how much before its time a doorbell is rung anew. An earlier
	// one is dropped: it is a copy, and the one sent with the delay is on its
	// way. Ringing for copies would let a queue that repeats messages fill
	// itself.
	nearly = 10 * time.Second
)

// Values of Delivery.HeldReason.
const (
	HeldNoURL = "no_callback_url" // neither the payment nor the client has one
	// HeldOpen: its endpoint's circuit is open. Let go when that is back.
	HeldOpen = "endpoint_open"
	// HeldDisabled: its endpoint has failed for days. Let go when an operator
	// enables it; so is HeldGone: it answered 410, or asked to be disabled.
	HeldDisabled = "endpoint_disabled"
	HeldGone     = "endpoint_gone"
	// HeldUnreadable: the client's record, or what it seals, cannot be read.
	HeldUnreadable = "client_unreadable"
	// HeldUnsignable: the client has no usable signing secret.
	HeldUnsignable = "no_signing_secret"
)

// Poster sends one attempt. webhook.Client is one.
type Poster interface {
	Post(ctx context.Context, url string, header http.Header, body []byte) webhook.Result
}

// Ringer tells the forwarder where to look next. Doorbell is one.
type Ringer interface {
	Ring(ctx context.Context, deliveries ...ledger.Delivery) error
}

// Forwarder makes the attempts. Set every field; it is then safe for
// concurrent use.
type Forwarder struct {
	Ledger   *ledger.Ledger
	Client   Poster
	Doorbell Ringer
	Now      func() time.Time
	Jitter   func() float64 // uniform in [0,1)
	Log      *slog.Logger
	Parallel host.Executor
	// AfterFunc tells of attempts that are left waiting, while they wait.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// together bounds the attempts that one batch makes side by side: each holds a
// connection and up to 16 KiB of an answer.
const together = 64

// Handle works off one batch of doorbells side by side, so that one slow app
// holds up no other. A message is reported as failed, and comes again, only
// when the fault is ours; an app's refusal is on its delivery's own schedule.
func (f *Forwarder) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var response events.SQSEventResponse
	faults := f.Parallel.Each(ctx, together, len(batch.Records), func(i int) error {
		return f.answer(ctx, batch.Records[i].Body)
	})
	for i, err := range faults {
		if err != nil {
			id := batch.Records[i].MessageId
			f.Log.ErrorContext(ctx, "delivery.failed", "message_id", id, "error", err.Error())
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	return response, nil
}

// answer answers one doorbell.
func (f *Forwarder) answer(ctx context.Context, body string) error {
	bell, err := readDoorbell(body)
	if err != nil {
		return err // goes to the dead letters, where an operator sees it
	}
	return f.Deliver(ctx, bell.Reference, bell.Sequence)
}

// Deliver makes the attempt that is due for one event, if one is. An error is
// a fault of ours; the event stays due.
func (f *Forwarder) Deliver(ctx context.Context, reference string, sequence int) error {
	all, err := f.Ledger.Deliveries(ctx, reference)
	if err != nil {
		return err
	}
	d, predecessor, ok := find(all, sequence)
	now := ledger.Clock(f.Now())
	w := work{d: d, cause: causeOf(d), following: successor(all, sequence)}
	switch {
	case !ok:
		f.Log.WarnContext(ctx, "delivery.unknown", "reference", reference, "sequence", sequence)
		return nil
	case w.cause == "":
		return nil // it has ended
	case now.Before(d.LeaseUntil) && d.LeaseUntil.Sub(now) <= lease: // longer: a clock ran ahead
		return nil // another worker is at it; if it dies, the sweeper rings
	case predecessor != nil:
		return f.behind(ctx, w, *predecessor, now)
	case w.cause == ledger.CauseProbe:
		return f.probe(ctx, w, now)
	case d.State == ledger.DeliveryWaiting:
		// Nothing is before it any more. Its time was only when to look next.
	case d.DueAt().After(now.Add(nearly)):
		return nil
	case d.DueAt().After(now.Add(early)):
		return f.Doorbell.Ring(ctx, d)
	}
	ok, err = f.address(ctx, &w, now)
	if err != nil || !ok {
		return err
	}
	ok, err = f.pass(ctx, w, now)
	if err != nil || !ok {
		return err
	}
	return f.claimAndAttempt(ctx, w, now)
}

// work is one delivery on its way to one attempt.
type work struct {
	d         ledger.Delivery
	cause     ledger.Cause
	client    ledger.Client
	url       string
	following *ledger.Delivery // the next event of the payment, if it has not ended
}

// origin is the endpoint the attempt goes to.
func (w work) origin() string { return ledger.Origin(w.url) }

// causeOf says why a delivery would be attempted now; empty: it would not.
func causeOf(d ledger.Delivery) ledger.Cause {
	switch {
	case !d.ManualAt.IsZero():
		return ledger.CauseManual
	case d.HeldForEndpoint():
		return ledger.CauseProbe
	case d.State.Ended():
		return ""
	}
	return ledger.CauseAutomatic
}

// address finds out where an event goes and whether it can be signed. An event
// for which nothing of the kind can be had is held for an operator, and ok is
// false.
func (f *Forwarder) address(ctx context.Context, w *work, now time.Time) (ok bool, err error) {
	d := w.d
	w.client, err = f.Ledger.RecentClient(ctx, d.ClientID, now)
	if errors.Is(err, ledger.ErrCorrupt) || errors.Is(err, ledger.ErrNotFound) {
		// Its record is gone, or the key that sealed its secrets: no repeat
		// mends that.
		f.Log.ErrorContext(ctx, "delivery.client_unreadable", "event", d.EventID, "client", d.ClientID, "error", err.Error())
		return false, f.hold(ctx, *w, HeldUnreadable)
	}
	if err != nil {
		return false, fmt.Errorf("client of %s: %w", d.EventID, err)
	}
	if w.url = d.URL; w.url == "" {
		w.url = w.client.CallbackURL
	}
	if w.url == "" {
		return false, f.hold(ctx, *w, HeldNoURL)
	}
	if _, err := sign(d, w.client, now); err != nil {
		// Trying again mends nothing, and an event is never sent unsigned.
		f.Log.ErrorContext(ctx, "delivery.unsignable", "event", d.EventID, "error", err.Error())
		return false, f.hold(ctx, *w, HeldUnsignable)
	}
	return true, nil
}

// hold keeps an event that cannot be sent where an operator sees it. One that
// has ended, and was only asked for again, stays as it is.
func (f *Forwarder) hold(ctx context.Context, w work, reason string) error {
	d := w.d
	d.ManualAt = time.Time{}
	if !d.State.Ended() {
		d.State, d.HeldReason, d.NextAttemptAt = ledger.DeliveryHeld, reason, time.Time{}
	}
	_, err := f.Ledger.PutDelivery(ctx, d)
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	f.logHeld(ctx, d, reason)
	return err
}

func (f *Forwarder) logHeld(ctx context.Context, d ledger.Delivery, reason string) {
	f.Log.WarnContext(ctx, "delivery.held", "reference", d.Reference, "client", d.ClientID, "event", d.EventID, "reason", reason)
}

// ring is a hint: when it fails, the sweeper rings.
func (f *Forwarder) ring(ctx context.Context, d ledger.Delivery) error {
	if err := f.Doorbell.Ring(ctx, d); err != nil {
		f.Log.WarnContext(ctx, "doorbell.lost", "event", d.EventID, "error", err.Error())
	}
	return nil
}
