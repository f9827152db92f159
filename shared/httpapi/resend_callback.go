package httpapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

const (
	// resendEvery is how long after an attempt the same event may be asked
	// for again: a resend costs the app's server and ours more than a read.
	resendEvery = 10 * time.Second
	// maxAttempts bounds what one event can cost over its life, and how long
	// its timeline can become.
	maxAttempts = 200
	// resendTries is how often a delivery that moved meanwhile is read anew.
	resendTries = 3
)

// resentBody says what will happen after a resend.
type resentBody struct {
	ReferenceID string        `json:"referenceId"`
	EventID     string        `json:"eventId"`
	Event       payment.Event `json:"event"`
	Sequence    int           `json:"sequence"`
	CallbackURL string        `json:"callbackUrl"`
	AttemptAt   string        `json:"attemptAt"`
	Message     string        `json:"message"`
}

// resendCallback handles POST /payments/{referenceId}/resend-callback: the
// latest event once more, with the same bytes under the same webhook-id.
func (a *API) resendCallback(ctx context.Context, r Request) Response {
	started := a.Now()
	client, refused := a.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	var story ledger.Story
	for range resendTries {
		var err error
		story, err = a.ownStory(ctx, client, r)
		if err != nil {
			return a.failed(ctx, "resend.failed", client, err)
		}
		if refused := a.mayResend(story, client); refused != nil {
			return *refused
		}
		d, at := story.Deliveries[len(story.Deliveries)-1], ledger.Clock(a.Now())
		resp := respond(202, resentBody{
			ReferenceID: d.Reference, EventID: d.EventID, Event: d.Event, Sequence: d.Sequence,
			CallbackURL: callbackURL(d, client), AttemptAt: payment.Timestamp(at),
			Message: "One attempt is made now, with the same bytes and the same webhook-id: a receiver that has handled the event ignores it. What comes of it stands in GET /payments/{referenceId}.",
		})
		d, err = a.Ledger.ResendDelivery(ctx, d, at, ledger.AuditRecord{
			At: ledger.Clock(started), Direction: ledger.InboundFromApp, Reference: d.Reference, ClientID: client.ID,
			Method: "POST", URL: "/payments/" + d.Reference + "/resend-callback", ResponseCode: resp.StatusCode,
			ResponseBody: resp.Body, Duration: a.Now().Sub(started), Note: fmt.Sprintf("event %d, it was %s", d.Sequence, d.State),
		})
		switch {
		case errors.Is(err, ledger.ErrMoved):
			continue
		case errors.Is(err, ledger.ErrUnderway):
			return underway(story.Payment)
		case errors.Is(err, ledger.ErrEndpointDisabled):
			return conflict(story.Payment, "endpoint_disabled", "Nothing is sent to this address any more: it answered 410, or failed for days. Mend it, then have the operator enable it; what is held for it is delivered then.")
		case err != nil:
			return a.failed(ctx, "resend.failed", client, err)
		}
		if err := a.Doorbell.Ring(ctx, d); err != nil {
			// It is due in the table, and the sweeper rings.
			a.Log.WarnContext(ctx, "doorbell.lost", "reference", d.Reference, "client", client.ID, "error", err.Error())
		}
		return resp
	}
	return underway(story.Payment) // somebody is at it all the time
}

// mayResend says why the latest event cannot be sent again now, if so.
func (a *API) mayResend(s ledger.Story, client ledger.Client) *Response {
	refuse := func(code, sentence string) *Response {
		resp := conflict(s.Payment, code, sentence)
		return &resp
	}
	if len(s.Deliveries) == 0 {
		return refuse("no_event_yet", "Nothing has happened yet that is announced: the payment is still open. The callback comes by itself when it ends.")
	}
	d, now := s.Deliveries[len(s.Deliveries)-1], ledger.Clock(a.Now())
	if d.State == ledger.DeliveryWaiting || !d.ManualAt.IsZero() || now.Before(d.LeaseUntil) || d.State == ledger.DeliveryDue && !d.NextAttemptAt.After(now) {
		resp := underway(s.Payment)
		return &resp
	}
	if callbackURL(d, client) == "" {
		return refuse("no_callback_url", "Neither the payment nor the app has a callback URL. Have the operator set the app's, then ask again.")
	}
	if d.Claims >= maxAttempts {
		return refuse("resent_too_often", fmt.Sprintf("This event has been attempted %d times. Read the payment with GET /status/{referenceId}, or ask the operator.", d.Claims))
	}
	last := d.ResentAt
	for _, at := range s.Attempts {
		if at.Sequence == d.Sequence && at.Started.After(last) {
			last = at.Started
		}
	}
	if wait := last.Add(resendEvery).Sub(now); wait > 0 {
		resp := retryAfter(problem(429, "resent_too_soon", "This event was sent less than ten seconds ago; wait as long as Retry-After says."), wait)
		return &resp
	}
	return nil
}

func underway(p ledger.Payment) Response {
	return conflict(p, "callback_underway", "The callback is being delivered right now, or an earlier event of the payment comes first. It goes on by itself.")
}

// conflict is a 409 about a payment.
func conflict(p ledger.Payment, code, sentence string) Response {
	return respond(409, errorBody{Error: sentence, Code: code, ReferenceID: p.Reference, Status: p.Status})
}
