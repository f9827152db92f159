package forwarder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// claimAndAttempt makes the attempt, unless another worker is faster.
func (f *Forwarder) claimAndAttempt(ctx context.Context, w work, now time.Time) error {
	counted, ok, err := f.acquire(ctx, w, now)
	if err != nil {
		return err
	}
	if !ok {
		return f.overLimit(ctx, w, now)
	}
	d, err := f.Ledger.SaveDelivery(ctx, w.d.Claim(now.Add(lease)))
	if err != nil && counted {
		f.release(ctx, w, false)
	}
	if errors.Is(err, ledger.ErrStale) {
		return nil
	}
	if err != nil {
		return err
	}
	w.d = d
	return f.attempt(ctx, w, counted)
}

// attempt sends a claimed delivery once and stores the result.
func (f *Forwarder) attempt(ctx context.Context, w work, counted bool) error {
	d := w.d
	header, err := sign(d, w.client, f.Now())
	if err != nil {
		return err
	}
	answered := f.watch(ctx, w, counted)
	result := f.Client.Post(ctx, w.url, header, []byte(d.Body))
	answered(result.Class == webhook.ClassNone)
	now := ledger.Clock(f.Now())
	next := delivery.Decide(delivery.Outcome{
		Code: result.Code, Class: result.Class, RetryAfter: result.RetryAfter, Control: result.Control,
		OwnURL: d.URL != "", Charged: d.Attempts, Free: d.Claims - 1 - d.Attempts - d.OffSchedule, OffSchedule: w.cause != delivery.CauseAutomatic,
	}, now, f.Jitter())
	d = d.After(delivery.Attempt{
		Cause: w.cause, Started: result.Started, Duration: result.Duration, Code: result.Code, Error: string(result.Class),
		Excerpt: result.Excerpt, Location: result.Location, TLSFault: string(result.TLSFault),
	}, next, now)
	note := fmt.Sprintf("event %d, %s", d.Sequence, w.cause)
	if result.Class != webhook.ClassNone {
		note += ": " + string(result.Class)
	}
	// What has happened is written down even if our caller's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	after, err := f.Ledger.SaveAttempt(ctx, d, ledger.AuditRecord{
		At: ledger.Clock(result.Started), Direction: ledger.OutboundToApp, Reference: d.Reference, ClientID: d.ClientID,
		Method: http.MethodPost, URL: withoutQuery(w.url), RequestBody: d.Body,
		ResponseCode: result.Code, ResponseBody: result.Excerpt, Duration: result.Duration, Note: note,
	})
	level := slog.LevelInfo
	if d.State == delivery.Exhausted || d.State == delivery.Held {
		level = slog.LevelWarn
	}
	fields := []any{
		"reference", d.Reference, "client", d.ClientID, "event", d.EventID,
		"sequence", d.Sequence, "attempt", d.Claims, "cause", w.cause, "code", result.Code, "error", result.Class,
		"duration_ms", result.Duration.Milliseconds(), "state", d.State, "reason", next.Reason,
	}
	if !d.NextAttemptAt.IsZero() {
		fields = append(fields, "next_attempt_at", d.NextAttemptAt)
	}
	f.Log.Log(ctx, level, "delivery.attempted", fields...)
	// The result is about the endpoint, even if another worker owns the event.
	f.report(ctx, w, delivery.SignalOf(next, w.cause))
	if errors.Is(err, ledger.ErrStale) {
		f.Log.WarnContext(ctx, "delivery.claim_lost", "event", d.EventID, "attempt", d.Claims)
		return nil
	}
	if err != nil {
		return err
	}
	if next.Step == delivery.StepExhausted && d.State == delivery.Exhausted {
		f.Log.ErrorContext(ctx, "delivery.exhausted", "reference", d.Reference, "client", d.ClientID, "event", d.EventID,
			"attempts", d.Attempts, "code", result.Code, "error", result.Class, "reason", next.Reason)
	}
	switch {
	case !after.State.Parked() && w.cause == delivery.CauseAutomatic:
		// If its endpoint is blocked now, it is held at once: it is what can
		// be probed with, and its own next attempt may be hours away.
		w.d = after
		if free, err := f.passAt(ctx, w, w.origin(), now); err != nil || !free {
			return err
		}
		return f.ring(ctx, after)
	case !after.State.Parked():
		return f.ring(ctx, after)
	case w.following != nil:
		return f.ring(ctx, *w.following)
	}
	return nil
}

// Every delivery names its payment and the event's place in it, for an app that
// is sent a provider's own payload and could not tell otherwise. Neither header
// is signed: webhook-id is, which is made of both, and the payment's status can
// be asked for.
const (
	HeaderReference = "X-Momo-Proxy-Reference"
	HeaderSequence  = "X-Momo-Proxy-Sequence" // counts from 1
)

var contentType = []string{"application/json"}

// headerLegacy is the name as a header's map has it.
var headerLegacy = http.CanonicalHeaderKey(webhook.HeaderLegacy)

// sign makes the headers of one attempt, afresh each time: what may sign is
// decided at that time, whenever the client was read.
func sign(d delivery.Delivery, client ledger.Client, at time.Time) (http.Header, error) {
	secrets, err := signingSecrets(client, at)
	if err != nil {
		return nil, err
	}
	body := []byte(d.Body)
	header, err := webhook.Headers(d.EventID, at, body, secrets...)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", d.EventID, err)
	}
	values := [3]string{d.Reference, strconv.Itoa(d.Sequence)}
	header["Content-Type"], header[HeaderReference], header[HeaderSequence] = contentType, values[0:1:1], values[1:2:2]
	if !client.NoLegacySignature {
		values[2] = webhook.SignLegacy(body, client.LegacyKey(at))
		header[headerLegacy] = values[2:3:3]
	}
	return header, nil
}

// canSign returns the error that sign would return.
func canSign(d delivery.Delivery, client ledger.Client, at time.Time) error {
	secrets, err := signingSecrets(client, at)
	if err != nil {
		return err
	}
	return webhook.CanSign(d.EventID, secrets...)
}

// signingSecrets are the client's at that time, the newest first.
func signingSecrets(client ledger.Client, at time.Time) ([]webhook.Secret, error) {
	live := client.LiveSecrets(at)
	secrets := make([]webhook.Secret, 0, len(live))
	for _, text := range live {
		s, err := webhook.ParseSecret(text)
		if err != nil {
			return nil, fmt.Errorf("signing secret of client %s: %w", client.ID, err)
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

// withoutQuery drops what may hold an app's own token.
func withoutQuery(url string) string {
	bare, _, _ := strings.Cut(url, "?")
	return bare
}
