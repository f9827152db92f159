package httpapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

const (
	// resendEvery is how long after an attempt the same event may be asked
	// for again: a resend costs the app's server and ours more than a read.
	resendEvery = 10 * time.Second
	// maxResends bounds what one event can cost by hand. Probes and the
	// schedule's own attempts have bounds of their own and do not count.
	maxResends = 200
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

// The two things that a resend can lead to.
const (
	sentBeside = "One attempt is made now, or minutes later while the server leaves requests unanswered, with the same bytes and the same webhook-id: a receiver that has handled the event ignores it. What comes of it stands in GET /payments/{referenceId}."
	sentAgain  = "The event was held for want of a callback URL. It is sent now and, if that fails, again by its schedule, with the same bytes and the same webhook-id. What comes of it stands in GET /payments/{referenceId}."
)

// resendCallback handles POST /payments/{referenceId}/resend-callback: the
// event that the app lacks once more, with the same bytes under the same
// webhook-id.
func (s *SelfService) resendCallback(ctx context.Context, r Request) Response {
	started := s.Now()
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	var view ledger.Story
	for range resendTries {
		var err error
		view, err = s.ownPayment(ctx, client, r)
		if err != nil {
			return s.failed(ctx, "resend.failed", client, err)
		}
		if len(view.Deliveries) == 0 {
			return conflict(view.Payment, "no_event_yet", "Nothing has happened yet that is announced: the payment is still open. The callback comes by itself when it ends.")
		}
		d, at := nextToResend(view.Deliveries), ledger.Clock(s.Now())
		if refused := s.mayResend(view.Payment, d, client); refused != nil {
			return *refused
		}
		message := sentBeside
		if d.State == delivery.Held && !d.HeldForEndpoint() {
			message = sentAgain // ResendDelivery lets it go
		}
		resp := respond(202, resentBody{
			ReferenceID: d.Reference, EventID: d.EventID, Event: d.Event, Sequence: d.Sequence,
			CallbackURL: callbackURL(d, client), AttemptAt: payment.Timestamp(at), Message: message,
		})
		d, err = s.Ledger.ResendDelivery(ctx, d, at, ledger.AuditRecord{
			At: ledger.Clock(started), Direction: ledger.InboundFromApp, Reference: d.Reference, ClientID: d.ClientID,
			Method: "POST", URL: "/payments/" + d.Reference + "/resend-callback", ResponseCode: resp.StatusCode,
			ResponseBody: resp.Body, Duration: s.Now().Sub(started), Note: fmt.Sprintf("event %d, it was %s", d.Sequence, d.State),
		})
		switch {
		case errors.Is(err, ledger.ErrStale):
			continue
		case errors.Is(err, delivery.ErrUnderway):
			return underway(view.Payment)
		case errors.Is(err, ledger.ErrEndpointDisabled):
			return conflict(view.Payment, "endpoint_disabled", "Nothing is sent to this address any more: it answered 410, or failed for days. Mend it, then have the operator enable it; what is held for it is delivered then.")
		case err != nil:
			return s.failed(ctx, "resend.failed", client, err)
		}
		if err := s.Doorbell.Ring(ctx, d); err != nil {
			// It is due in the table, and the sweeper rings.
			s.Log.WarnContext(ctx, "doorbell.lost", "reference", d.Reference, "client", client.ID, "error", err.Error())
		}
		return resp
	}
	return underway(view.Payment) // somebody is at it all the time
}

// nextToResend picks what a resend sends: the oldest event that the app has not
// got, else the latest. So whatever is sent has no undelivered event before
// it that it would have to wait for. There is at least one.
func nextToResend(all []delivery.Delivery) delivery.Delivery {
	for i, d := range all {
		if d.State != delivery.Delivered && !superseded(d, all[i+1:]) {
			return d
		}
	}
	return all[len(all)-1]
}

// superseded says whether an event that was given up has a status that
// the app has since heard corrected: it would only confuse.
func superseded(d delivery.Delivery, later []delivery.Delivery) bool {
	givenUp := d.State.Parked() && !d.HeldForEndpoint()
	return givenUp && gateway.TellsStatus(d.Event) && slices.ContainsFunc(later, func(l delivery.Delivery) bool {
		return l.State == delivery.Delivered && gateway.TellsStatus(l.Event)
	})
}

// mayResend says why the event cannot be sent again now, if so.
func (s *SelfService) mayResend(p ledger.Payment, d delivery.Delivery, client ledger.Client) *Response {
	refuse := func(resp Response) *Response { return &resp }
	now := ledger.Clock(s.Now())
	if d.State == delivery.Waiting || !d.RequestedAt.IsZero() || now.Before(d.LeaseUntil) || d.State == delivery.Due && !d.NextAttemptAt.After(now) {
		return refuse(underway(p))
	}
	if callbackURL(d, client) == "" {
		return refuse(conflict(p, "no_callback_url", "Neither the payment nor the app has a callback URL. Have the operator set the app's, then ask again."))
	}
	if d.Resends >= maxResends {
		return refuse(conflict(p, "resent_too_often", fmt.Sprintf("This event has been resent %d times. Read the payment with GET /status/{referenceId}, or ask the operator.", d.Resends)))
	}
	last := d.Last().Started
	if d.ResentAt.After(last) {
		last = d.ResentAt
	}
	if wait := last.Add(resendEvery).Sub(now); wait > 0 {
		return refuse(retryAfter(problem(429, "resent_too_soon", "This event was sent less than ten seconds ago; wait as long as Retry-After says."), wait))
	}
	return nil
}

func underway(p ledger.Payment) Response {
	return conflict(p, "callback_underway", "The callback is being delivered right now. It goes on by itself.")
}

// conflict is a 409 about a payment.
func conflict(p ledger.Payment, code, sentence string) Response {
	return respond(409, errorBody{Error: sentence, Code: code, ReferenceID: p.Reference, Status: p.Status})
}
