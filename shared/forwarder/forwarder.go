// Package forwarder makes the delivery attempts: the worker that the queue
// feeds, the sweeper that repeats what the queue has lost, and the message
// between them, the doorbell. When to try and what an answer means is decided
// in package delivery; the table says what is due, and queue messages only say
// where to look.
package forwarder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// lease is how long a worker holds a delivery: the 10 s of an attempt and the
// writes around it, with room.
const lease = 30 * time.Second

const (
	// dueTolerance is how much before its time an attempt may be made, so that
	// clocks that differ a little do not send a doorbell round once more.
	dueTolerance = time.Second
	// requeueWindow is how much before its time a doorbell is rung anew. An earlier
	// one is dropped: it is a copy, and the one sent with the delay is on its
	// way. Ringing for copies would let a queue that repeats messages fill
	// itself.
	requeueWindow = 10 * time.Second
)

// Poster sends one attempt. webhook.Client is one.
type Poster interface {
	Post(ctx context.Context, url string, header http.Header, body []byte) webhook.Result
}

// Ringer tells the forwarder where to look next. Doorbell is one.
type Ringer interface {
	Ring(ctx context.Context, deliveries ...delivery.Delivery) error
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
	// AfterFunc reports unanswered attempts while they wait.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// maxAttempts bounds the attempts that one batch makes side by side: each holds a
// connection and up to 16 KiB of an answer.
const maxAttempts = 64

// Handle works off one batch of doorbells side by side, so that one slow app
// holds up no other. A message is reported as failed, and comes again, only
// when the fault is ours; an app's refusal is on its delivery's own schedule.
func (f *Forwarder) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var response events.SQSEventResponse
	faults := f.Parallel.Each(ctx, maxAttempts, len(batch.Records), func(i int) error {
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
	reference, sequence, err := ReadDoorbell(body)
	if err != nil {
		return err // goes to the dead letters, where an operator sees it
	}
	return f.Deliver(ctx, reference, sequence)
}

// Deliver makes the attempt that is due for one event, if one is. An error is
// a fault of ours; the event stays due.
func (f *Forwarder) Deliver(ctx context.Context, reference string, sequence int) error {
	all, err := f.Ledger.Deliveries(ctx, reference)
	if err != nil {
		return err
	}
	d, predecessor, ok := delivery.Find(all, sequence)
	now := ledger.Clock(f.Now())
	w := work{d: d, cause: d.Cause(), following: delivery.Following(all, sequence)}
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
	case w.cause == delivery.CauseProbe:
		return f.probe(ctx, w, now)
	case d.State == delivery.Waiting:
		// Nothing is before it any more. Its time was only when to look next.
	case d.DueAt().After(now.Add(requeueWindow)):
		return nil
	case d.DueAt().After(now.Add(dueTolerance)):
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
	d         delivery.Delivery
	cause     delivery.Cause
	client    ledger.Client
	url       string
	following *delivery.Delivery // the next event of the payment, if it has not ended
}

// origin is the endpoint the attempt goes to.
func (w work) origin() string { return delivery.Origin(w.url) }

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
		return false, f.hold(ctx, *w, delivery.HeldUnreadable)
	}
	if err != nil {
		return false, fmt.Errorf("client of %s: %w", d.EventID, err)
	}
	if w.url = d.URL; w.url == "" {
		w.url = w.client.CallbackURL
	}
	if w.url == "" {
		return false, f.hold(ctx, *w, delivery.HeldNoURL)
	}
	if err := canSign(d, w.client, now); err != nil {
		// Trying again mends nothing, and an event is never sent unsigned.
		f.Log.ErrorContext(ctx, "delivery.unsignable", "event", d.EventID, "error", err.Error())
		return false, f.hold(ctx, *w, delivery.HeldUnsignable)
	}
	return true, nil
}

// hold parks an event that cannot be sent where an operator sees it.
func (f *Forwarder) hold(ctx context.Context, w work, reason string) error {
	saved, err := f.save(ctx, w.d.Hold(reason))
	if saved || err != nil {
		f.logHeld(ctx, w.d, reason)
	}
	return err
}

// save writes a delivery that changes without an attempt. saved is false
// without an error when another worker changed it first.
func (f *Forwarder) save(ctx context.Context, d delivery.Delivery) (saved bool, err error) {
	_, err = f.Ledger.SaveDelivery(ctx, d)
	if errors.Is(err, ledger.ErrStale) {
		return false, nil
	}
	return err == nil, err
}

func (f *Forwarder) logHeld(ctx context.Context, d delivery.Delivery, reason string) {
	f.Log.WarnContext(ctx, "delivery.held", "reference", d.Reference, "client", d.ClientID, "event", d.EventID, "reason", reason)
}

// ring is a hint: when it fails, the sweeper rings.
func (f *Forwarder) ring(ctx context.Context, d delivery.Delivery) error {
	if err := f.Doorbell.Ring(ctx, d); err != nil {
		f.Log.WarnContext(ctx, "doorbell.lost", "event", d.EventID, "error", err.Error())
	}
	return nil
}
