package httpapi

import (
	"context"
	"time"

	"momoproxy/shared/delivery"
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
	ProviderIDs       map[string]string `json:"providerIds,omitempty"`
	InvoiceURL        string            `json:"invoiceUrl,omitempty"`
	Refunds           []refundBody      `json:"refunds,omitempty"`
	Events            []eventBody       `json:"events"`
}

// eventBody is one event and its delivery.
type eventBody struct {
	EventID       string         `json:"eventId"` // the webhook-id of its callbacks
	Event         payment.Event  `json:"event"`
	Sequence      int            `json:"sequence"`
	CreatedAt     string         `json:"createdAt"`
	State         delivery.State `json:"state"`
	HeldReason    string         `json:"heldReason,omitempty"`
	CallbackURL   *string        `json:"callbackUrl"`
	NextAttemptAt string         `json:"nextAttemptAt,omitempty"`
	DeliveredAt   string         `json:"deliveredAt,omitempty"`
	ResentAt      string         `json:"resentAt,omitempty"` // when it was last asked for by hand
	Body          string         `json:"body"`               // the bytes that are signed and sent
	AttemptCount  int            `json:"attemptCount"`
	Attempts      []attemptBody  `json:"attempts"` // the latest delivery.KeptAttempts
}

// attemptBody is one try to deliver an event.
type attemptBody struct {
	Number     int            `json:"number"`
	Cause      delivery.Cause `json:"cause"`
	StartedAt  string         `json:"startedAt"`
	DurationMS int64          `json:"durationMs"`
	Code       *int           `json:"code"`  // null: no HTTP answer
	Error      *string        `json:"error"` // null: there was an HTTP answer
	Excerpt    string         `json:"excerpt,omitempty"`
	Location   string         `json:"location,omitempty"` // where a redirect pointed
	TLSFault   string         `json:"tlsFault,omitempty"` // with error "tls"
}

func (s *SelfService) paymentTimeline(ctx context.Context, r Request) Response {
	client, refused := s.authenticate(ctx, r)
	if refused != nil {
		return *refused
	}
	story, err := s.ownPayment(ctx, client, r)
	if err != nil {
		return s.failed(ctx, "timeline.failed", client, err)
	}
	return respond(200, timelineOf(story, client))
}

// ownPayment reads the payment in the path, which must be the client's, with
// its deliveries and refunds. No provider is asked.
func (s *SelfService) ownPayment(ctx context.Context, client ledger.Client, r Request) (ledger.Story, error) {
	story, err := s.Ledger.Story(ctx, r.PathParameters["referenceId"])
	if err == nil && story.Payment.ClientID != client.ID {
		return ledger.Story{}, gateway.ErrForbidden
	}
	return story, err
}

func timelineOf(s ledger.Story, client ledger.Client) timelineBody {
	p := s.Payment
	body := timelineBody{
		paymentSummary:    summaryOf(p),
		CallbackForwarded: gateway.Forwarded(s.Deliveries),
		ExpiresAt:         timestamp(p.ExpiresAt), Instructions: p.Instructions, ProviderIDs: p.IDs, InvoiceURL: p.InvoiceURL,
		Events: make([]eventBody, 0, len(s.Deliveries)),
	}
	if len(s.Refunds) > 0 {
		body.Refunds = refundsOf(s.Refunds)
	}
	if p.Open() {
		body.NextCheckAt = timestamp(p.NextCheckAt)
	}
	for _, d := range s.Deliveries {
		body.Events = append(body.Events, eventBody{
			EventID: d.EventID, Event: d.Event, Sequence: d.Sequence, CreatedAt: payment.Timestamp(d.CreatedAt),
			State: d.State, HeldReason: d.HeldReason, CallbackURL: orNull(callbackURL(d, client)),
			NextAttemptAt: timestamp(d.NextAttemptAt), DeliveredAt: timestamp(d.DeliveredAt), ResentAt: timestamp(d.ResentAt),
			Body: d.Body, AttemptCount: d.Claims, Attempts: attemptsOf(d.Latest),
		})
	}
	return body
}

func attemptsOf(attempts []delivery.Attempt) []attemptBody {
	all := make([]attemptBody, 0, len(attempts))
	for _, at := range attempts {
		all = append(all, attemptOf(at))
	}
	return all
}

func attemptOf(a delivery.Attempt) attemptBody {
	body := attemptBody{
		Number: a.Number, Cause: a.Cause, StartedAt: payment.Timestamp(a.Started),
		DurationMS: a.Duration.Milliseconds(), Error: orNull(a.Error), Excerpt: a.Excerpt,
		Location: a.Location, TLSFault: a.TLSFault,
	}
	if a.Code != 0 {
		body.Code = &a.Code
	}
	return body
}

// callbackURL is where an event of the client goes; empty: nowhere.
func callbackURL(d delivery.Delivery, client ledger.Client) string {
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
