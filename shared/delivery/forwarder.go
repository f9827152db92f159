// Package delivery brings each event to its app: when to try, what an answer
// means, and the forwarder that does it. The table says what is due; queue
// messages only say where to look.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

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
	HeldGone  = "endpoint_gone"   // it answered 410, or asked to be disabled
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
}

// Handle works off one batch of doorbells side by side, so that one slow app
// holds up no other. A message is reported as failed, and comes again, only
// when the fault is ours; an app's refusal is on its delivery's own schedule.
func (f *Forwarder) Handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	var response events.SQSEventResponse
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range batch.Records {
		wg.Go(func() {
			if err := f.answer(ctx, m.Body); err != nil {
				f.Log.ErrorContext(ctx, "delivery.failed", "message_id", m.MessageId, "error", err.Error())
				mu.Lock()
				defer mu.Unlock()
				response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		})
	}
	wg.Wait()
	return response, nil
}

// answer answers one doorbell. A panic is one message's failure: Lambda
// would end the process, and with it the whole batch.
func (f *Forwarder) answer(ctx context.Context, body string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
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
	switch {
	case !ok:
		f.Log.WarnContext(ctx, "delivery.unknown", "reference", reference, "sequence", sequence)
		return nil
	case d.State.Ended():
		return nil
	case now.Before(d.LeaseUntil) && d.LeaseUntil.Sub(now) <= lease: // longer: a clock ran ahead
		return nil // another worker is at it; if it dies, the sweeper rings
	case predecessor != nil:
		return f.wait(ctx, d, *predecessor, now)
	case d.NextAttemptAt.After(now.Add(nearly)):
		return nil
	case d.NextAttemptAt.After(now.Add(early)):
		return f.Doorbell.Ring(ctx, d)
	}

	client, err := f.Ledger.RecentClient(ctx, d.ClientID, now)
	if errors.Is(err, ledger.ErrCorrupt) || errors.Is(err, ledger.ErrNotFound) {
		// Its record is gone, or the key that sealed its secrets: no repeat
		// mends that.
		f.Log.ErrorContext(ctx, "delivery.client_unreadable", "event", d.EventID, "client", d.ClientID, "error", err.Error())
		return f.hold(ctx, d, HeldUnreadable)
	}
	if err != nil {
		return fmt.Errorf("client of %s: %w", d.EventID, err)
	}
	url := d.URL
	if url == "" {
		url = client.CallbackURL
	}
	if url == "" {
		return f.hold(ctx, d, HeldNoURL)
	}
	if _, err := sign(d, client, now); err != nil {
		// Trying again mends nothing, and an event is never sent unsigned.
		f.Log.ErrorContext(ctx, "delivery.unsignable", "event", d.EventID, "error", err.Error())
		return f.hold(ctx, d, HeldUnsignable)
	}
	d, err = f.Ledger.ClaimDelivery(ctx, d, now.Add(lease))
	if errors.Is(err, ledger.ErrMoved) {
		return nil // somebody else was faster
	}
	if err != nil {
		return err
	}
	return f.attempt(ctx, d, client, url, successor(all, sequence))
}

// attempt sends a claimed delivery once and writes down what came of it.
func (f *Forwarder) attempt(ctx context.Context, d ledger.Delivery, client ledger.Client, url string, following *ledger.Delivery) error {
	header, err := sign(d, client, f.Now())
	if err != nil {
		return err
	}
	result := f.Client.Post(ctx, url, header, []byte(d.Body))
	now := ledger.Clock(f.Now())
	next := Decide(Outcome{
		Code: result.Code, Class: result.Class, RetryAfter: result.RetryAfter, Control: result.Control,
		Charged: d.Attempts, Free: d.Claims - 1 - d.Attempts,
	}, now, f.Jitter())
	d.LastCode, d.LastError = result.Code, string(result.Class)
	apply(&d, next, now)
	// What has happened is written down even if our caller's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	after, err := f.Ledger.CompleteAttempt(ctx, d,
		ledger.Attempt{
			Reference: d.Reference, Sequence: d.Sequence, Number: d.Claims, Cause: ledger.CauseAutomatic,
			Started: result.Started, Duration: result.Duration, Code: result.Code, Error: string(result.Class), Excerpt: result.Excerpt,
		},
		ledger.AuditRecord{
			At: ledger.Clock(result.Started), Direction: ledger.OutboundToApp, Reference: d.Reference, ClientID: d.ClientID,
			Method: http.MethodPost, URL: withoutQuery(url), RequestBody: d.Body,
			ResponseCode: result.Code, ResponseBody: result.Excerpt, Duration: result.Duration, Note: string(result.Class),
		})
	level := slog.LevelInfo
	if d.State == ledger.DeliveryExhausted || d.State == ledger.DeliveryHeld {
		level = slog.LevelWarn
	}
	f.Log.Log(ctx, level, "delivery.attempted", "reference", d.Reference, "client", d.ClientID, "event", d.EventID,
		"sequence", d.Sequence, "attempt", d.Claims, "code", result.Code, "error", result.Class,
		"duration_ms", result.Duration.Milliseconds(), "state", d.State, "reason", next.Reason, "next_attempt_at", d.NextAttemptAt)
	if errors.Is(err, ledger.ErrMoved) {
		f.Log.WarnContext(ctx, "delivery.claim_lost", "event", d.EventID, "attempt", d.Claims)
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case !after.State.Ended():
		return f.ring(ctx, after)
	case following != nil:
		return f.ring(ctx, *following)
	}
	return nil
}

// apply turns the step into the delivery's new state.
func apply(d *ledger.Delivery, next Next, now time.Time) {
	if next.Charged {
		d.Attempts++
	}
	d.NextAttemptAt = time.Time{}
	switch next.Step {
	case StepDelivered:
		d.State, d.DeliveredAt = ledger.DeliveryDelivered, now
	case StepRetry:
		d.State, d.NextAttemptAt = ledger.DeliveryDue, ledger.Clock(next.At)
	case StepGone:
		d.State, d.HeldReason = ledger.DeliveryHeld, HeldGone
	default:
		d.State = ledger.DeliveryExhausted
	}
}

// sign makes the headers of one attempt, afresh each time: what may sign is
// decided at that time, whenever the client was read.
func sign(d ledger.Delivery, client ledger.Client, at time.Time) (http.Header, error) {
	live := client.LiveSecrets(at)
	secrets := make([]webhook.Secret, 0, len(live))
	for _, text := range live {
		s, err := webhook.ParseSecret(text)
		if err != nil {
			return nil, fmt.Errorf("signing secret of client %s: %w", client.ID, err)
		}
		secrets = append(secrets, s)
	}
	header, err := webhook.Headers(d.EventID, at, []byte(d.Body), secrets...)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", d.EventID, err)
	}
	header.Set("Content-Type", "application/json")
	if !client.NoLegacySignature {
		header.Set(webhook.HeaderLegacy, webhook.SignLegacy([]byte(d.Body), client.APIKey))
	}
	return header, nil
}

// wait puts an event behind an earlier one of the same payment that has not
// ended: an app must not learn of a correction before what it corrects.
func (f *Forwarder) wait(ctx context.Context, d, predecessor ledger.Delivery, now time.Time) error {
	behind := predecessor.NextAttemptAt
	if predecessor.LeaseUntil.After(behind) {
		behind = predecessor.LeaseUntil
	}
	if behind.Before(now) {
		behind = now
	}
	d.State, d.NextAttemptAt = ledger.DeliveryWaiting, behind.Add(lease)
	_, err := f.Ledger.PutDelivery(ctx, d)
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}

// hold keeps an event that cannot be sent now where an operator sees it.
func (f *Forwarder) hold(ctx context.Context, d ledger.Delivery, reason string) error {
	d.State, d.HeldReason, d.NextAttemptAt = ledger.DeliveryHeld, reason, time.Time{}
	_, err := f.Ledger.PutDelivery(ctx, d)
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	f.Log.WarnContext(ctx, "delivery.held", "reference", d.Reference, "client", d.ClientID, "event", d.EventID, "reason", reason)
	return err
}

// ring is a hint: when it fails, the sweeper rings.
func (f *Forwarder) ring(ctx context.Context, d ledger.Delivery) error {
	if err := f.Doorbell.Ring(ctx, d); err != nil {
		f.Log.WarnContext(ctx, "doorbell.lost", "event", d.EventID, "error", err.Error())
	}
	return nil
}

// find picks the event out of its payment's deliveries, with the earlier one
// it has to wait for, if there is one.
func find(all []ledger.Delivery, sequence int) (d ledger.Delivery, predecessor *ledger.Delivery, ok bool) {
	for _, other := range all {
		switch {
		case other.Sequence == sequence:
			return other, predecessor, true
		case !other.State.Ended():
			predecessor = &other
		}
	}
	return ledger.Delivery{}, nil, false
}

// successor picks the event that follows.
func successor(all []ledger.Delivery, sequence int) *ledger.Delivery {
	for _, d := range all {
		if d.Sequence > sequence && !d.State.Ended() {
			d.NextAttemptAt = time.Time{} // its turn is now
			return &d
		}
	}
	return nil
}

// withoutQuery drops what may hold an app's own token.
func withoutQuery(url string) string {
	bare, _, _ := strings.Cut(url, "?")
	return bare
}
