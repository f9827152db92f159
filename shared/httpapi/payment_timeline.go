package httpapi

import (
	"context"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// timelineBody is a payment with all that was done to announce it.
type timelineBody struct {
	paymentSummary
	CallbackForwarded bool              `json:"callbackForwarded"`
	NextCheckAt       string            `json:"nextCheckAt,omitempty"`
	ExpiresAt         string            `json:"expiresAt,omitempty"`
	Instructions      map[string]string `json:"instructions,omitempty"`
	InvoiceURL        string            `json:"invoiceUrl,omitempty"`
	Events            []eventBody       `json:"events"`
}

// eventBody is one event and its delivery.
type eventBody struct {
	EventID       string               `json:"eventId"` // the webhook-id of its callbacks
	Event         payment.Event        `json:"event"`
	Sequence      int                  `json:"sequence"`
	CreatedAt     string               `json:"createdAt"`
	State         ledger.DeliveryState `json:"state"`
	HeldReason    string               `json:"heldReason,omitempty"`
	CallbackURL   *string              `json:"callbackUrl"`
	NextAttemptAt string               `json:"nextAttemptAt,omitempty"`
	DeliveredAt   string               `json:"deliveredAt,omitempty"`
	ResentAt      string               `json:"resentAt,omitempty"` // when it was last asked for by hand
	Body          string               `json:"body"`               // the bytes that are signed and sent
	Attempts      []attemptBody        `json:"attempts"`
}

// attemptBody is one try to deliver an event.
type attemptBody struct {
	Number     int          `json:"number"`
	Cause      ledger.Cause `json:"cause"`
	StartedAt  string       `json:"startedAt"`
	DurationMS int64        `json:"durationMs"`
	Code       *int         `json:"code"`  // null: no HTTP answer
	Error      *string      `json:"error"` // null: there was an HTTP answer
	Excerpt    string       `json:"excerpt,omitempty"`
}

func (a *API) paymentTimeline(ctx context.Context, r Request) Response {
	client, refused := a.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	story, err := a.ownStory(ctx, client, r)
	if err != nil {
		return a.failed(ctx, "timeline.failed", client, err)
	}
	return respond(200, timelineOf(story, client))
}

// ownStory reads the story of the payment in the path, which must be the
// client's.
func (a *API) ownStory(ctx context.Context, client ledger.Client, r Request) (ledger.Story, error) {
	reference := r.PathParameters["referenceId"]
	if !payment.IsReference(reference) {
		return ledger.Story{}, ledger.ErrNotFound
	}
	story, err := a.Ledger.Story(ctx, reference)
	if err == nil && story.Payment.ClientID != client.ID {
		return ledger.Story{}, gateway.ErrForbidden
	}
	return story, err
}

func timelineOf(s ledger.Story, client ledger.Client) timelineBody {
	p := s.Payment
	body := timelineBody{
		paymentSummary:    summaryOf(p),
		CallbackForwarded: gateway.View{Payment: p, Deliveries: s.Deliveries}.Forwarded(),
		ExpiresAt:         timestamp(p.ExpiresAt), Instructions: p.Instructions, InvoiceURL: p.InvoiceURL,
		Events: make([]eventBody, 0, len(s.Deliveries)),
	}
	if p.Open() {
		body.NextCheckAt = timestamp(p.NextCheckAt)
	}
	for _, d := range s.Deliveries {
		e := eventBody{
			EventID: d.EventID, Event: d.Event, Sequence: d.Sequence, CreatedAt: payment.Timestamp(d.CreatedAt),
			State: d.State, HeldReason: d.HeldReason, CallbackURL: orNull(callbackURL(d, client)),
			NextAttemptAt: timestamp(d.NextAttemptAt), DeliveredAt: timestamp(d.DeliveredAt), ResentAt: timestamp(d.ResentAt),
			Body: d.Body, Attempts: []attemptBody{},
		}
		for _, at := range s.Attempts {
			if at.Sequence == d.Sequence {
				e.Attempts = append(e.Attempts, attemptOf(at))
			}
		}
		body.Events = append(body.Events, e)
	}
	return body
}

func attemptOf(a ledger.Attempt) attemptBody {
	body := attemptBody{
		Number: a.Number, Cause: a.Cause, StartedAt: payment.Timestamp(a.Started),
		DurationMS: a.Duration.Milliseconds(), Error: orNull(a.Error), Excerpt: a.Excerpt,
	}
	if a.Code != 0 {
		body.Code = &a.Code
	}
	return body
}

// callbackURL is where an event of the client goes; empty: nowhere.
func callbackURL(d ledger.Delivery, client ledger.Client) string {
	if d.URL != "" {
		return d.URL
	}
	return client.CallbackURL
}

// timestamp is empty for a time that is not set.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return payment.Timestamp(t)
}
