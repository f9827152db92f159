package httpapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

const (
	// testWait is how long the answer waits for the attempt, which itself takes
	// ten seconds at most.
	testWait = 12 * time.Second
	// testLook is how often it looks.
	testLook = 250 * time.Millisecond
)

// testedBody says what came of a test event.
type testedBody struct {
	EventID     string       `json:"eventId"` // its webhook-id
	CallbackURL string       `json:"callbackUrl"`
	Delivered   bool         `json:"delivered"` // the server answered 2xx
	Attempt     *attemptBody `json:"attempt,omitempty"`
	Message     string       `json:"message"`
}

// testEvent handles POST /events/test: the forwarder sends an event that
// belongs to no payment to the app's callback URL, signed as any other, and once.
// The answer waits for the attempt.
func (s *SelfService) testEvent(ctx context.Context, r Request) Response {
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	if client.CallbackURL == "" {
		return problem(409, "no_callback_url", "The app has no callback URL. Have the operator set it, then ask again.")
	}
	now := ledger.Clock(s.Now())
	d, err := s.Ledger.CreateTestEvent(ctx, client.ID, now)
	switch {
	case errors.Is(err, ledger.ErrStale):
		wait := now.Truncate(ledger.TestEvery).Add(ledger.TestEvery).Sub(now)
		return retryAfter(problem(429, "tested_too_soon", "A test event was sent less than ten seconds ago; wait as long as Retry-After says."), wait)
	case errors.Is(err, ledger.ErrEndpointDisabled):
		return problem(409, "endpoint_disabled", "Nothing is sent to this address any more: it answered 410, or failed for days. Mend it, then have the operator enable it.")
	case err != nil:
		return s.failed(ctx, "test.failed", client, err)
	}
	if err := s.Doorbell.Ring(ctx, d); err != nil {
		// It is due in the table, and the sweeper rings.
		s.Log.WarnContext(ctx, "doorbell.lost", "event", d.EventID, "client", client.ID, "error", err.Error())
	}
	body := testedBody{EventID: d.EventID, CallbackURL: client.CallbackURL}
	for until := now.Add(testWait); s.Now().Before(until) && s.Sleep(ctx, testLook) == nil; {
		sent, err := s.Ledger.Delivery(ctx, d.Reference, d.Sequence)
		if err != nil {
			return s.failed(ctx, "test.failed", client, err)
		}
		if sent.Claims > 0 && len(sent.Latest) > 0 {
			attempt := attemptOf(sent.Last())
			body.Attempt, body.Delivered = &attempt, sent.Last().Code/100 == 2
			body.Message = fmt.Sprintf("The server answered %d.", sent.Last().Code)
			if attempt.Code == nil {
				body.Message = "The server gave no HTTP answer; attempt.error says why."
			}
			return respond(200, body)
		}
		if sent.State == delivery.Held {
			return problem(409, "endpoint_disabled", "The event cannot be sent now: "+sent.HeldReason+". Ask the operator.")
		}
	}
	body.Message = "It has not been sent yet. It is sent once, as soon as the queue allows."
	return respond(202, body)
}
