package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

var paymentShow = &command{
	name: "payment show", args: []string{"REFERENCE"}, short: "show a payment, its deliveries and all that happened to it",
	long: `A timeline in UTC, with the payer masked. With --json everything that is kept of it,
the payer's number and the bodies of all exchanges included.`,
	check: checkReference,
	run:   showPayment,
}

// checkReference cleans the first argument.
func checkReference(c *call) error {
	if !payment.IsReference(c.args[0]) {
		return usageError(fmt.Sprintf("%q is not a payment reference; it is the referenceId of request-to-pay, a UUID", c.args[0]))
	}
	c.args[0] = strings.ToLower(c.args[0])
	return nil
}

func showPayment(ctx context.Context, s *session) error {
	story, err := s.story(ctx)
	if err != nil {
		return err
	}
	trail, err := s.ledger.AuditTrail(ctx, s.args[0])
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(storyView(story, trail))
	}
	t := &text{}
	describe(t, story.Payment)
	describeDeliveries(t, story.Deliveries)
	t.line("")
	t.line("Timeline, UTC")
	for _, m := range timeline(story, trail) {
		t.line("  %s  %s", stamp(m.at), m.what)
	}
	return s.print(t)
}

// story reads the payment that the first argument names.
func (s *session) story(ctx context.Context) (ledger.Story, error) {
	story, err := s.ledger.Story(ctx, s.args[0])
	if errors.Is(err, ledger.ErrNotFound) {
		return story, fmt.Errorf("payment %s is %w", s.args[0], err)
	}
	return story, err
}

// describe tells what a payment is and how it stands.
func describe(t *text, p ledger.Payment) {
	t.line("Payment %s is %s %s", p.Reference, p.Status, p.Phase)
	t.line("  amount      %s from %s by %s", p.Amount, p.Payer.Masked(), p.Provider)
	t.line("  order       %s of %s", p.ExternalID, p.ClientID)
	if p.Open() {
		t.line("  open since  %s", stamp(p.CreatedAt))
	} else {
		t.line("  ended       %s by %s%s", stamp(p.EndedAt), p.EndedBy, because(p.Reason))
	}
	if p.FinancialTransactionID != "" {
		t.line("  transaction %s", p.FinancialTransactionID)
	}
	if !p.NextCheckAt.IsZero() {
		t.line("  next check  %s", stamp(p.NextCheckAt))
	}
}

func describeDeliveries(t *text, deliveries []ledger.Delivery) {
	t.line("")
	if len(deliveries) == 0 {
		t.line("No deliveries")
		return
	}
	t.line("Deliveries")
	for _, d := range deliveries {
		t.line("  %d  %-18s  %s", d.Sequence, d.Event, stateOf(d))
	}
}

// stateOf is a delivery's state in words.
func stateOf(d ledger.Delivery) string {
	state := fmt.Sprintf("%s, %s", d.State, plural(d.Claims, "attempt"))
	switch {
	case d.HeldReason != "":
		state += ", " + d.HeldReason
	case !d.NextAttemptAt.IsZero():
		state += ", next " + stamp(d.NextAttemptAt)
	case d.State == ledger.DeliveryDelivered:
		state += ", last at " + stamp(d.DeliveredAt)
	}
	return state
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// The JSON of payment show. Hashes, and what only serves replays, are left
// out.
type (
	paymentView struct {
		Reference     string            `json:"referenceId"`
		ClientID      string            `json:"clientId"`
		ExternalID    string            `json:"externalId"`
		Provider      string            `json:"provider"`
		Method        string            `json:"method,omitempty"`
		Amount        string            `json:"amount"`
		Currency      string            `json:"currency"`
		Payer         string            `json:"payer"`
		PayerMessage  string            `json:"payerMessage,omitempty"`
		PayeeNote     string            `json:"payeeNote,omitempty"`
		Metadata      map[string]string `json:"metadata,omitempty"`
		Status        string            `json:"status"`
		Phase         string            `json:"phase,omitempty"`
		TransactionID string            `json:"financialTransactionId,omitempty"`
		Reason        string            `json:"reason,omitempty"`
		Sequence      int               `json:"sequence"`
		CreatedAt     time.Time         `json:"createdAt"`
		UpdatedAt     time.Time         `json:"updatedAt"`
		EndedAt       time.Time         `json:"endedAt,omitzero"`
		EndedBy       string            `json:"endedBy,omitempty"`
		Accepted      bool              `json:"accepted"`
		Checks        int               `json:"checks"`
		CheckedAt     time.Time         `json:"checkedAt,omitzero"`
		NextCheckAt   time.Time         `json:"nextCheckAt,omitzero"`
	}
	deliveryView struct {
		Sequence      int             `json:"sequence"`
		EventID       string          `json:"eventId"`
		Event         string          `json:"event"`
		State         string          `json:"state"`
		HeldReason    string          `json:"heldReason,omitempty"`
		URL           string          `json:"url,omitempty"`
		Attempts      int             `json:"attempts"` // that counted against the schedule
		Claims        int             `json:"claims"`   // all
		NextAttemptAt time.Time       `json:"nextAttemptAt,omitzero"`
		LeaseUntil    time.Time       `json:"leaseUntil,omitzero"`
		CreatedAt     time.Time       `json:"createdAt"`
		DeliveredAt   time.Time       `json:"deliveredAt,omitzero"`
		LastCode      int             `json:"lastCode,omitempty"`
		LastError     string          `json:"lastError,omitempty"`
		Body          json.RawMessage `json:"body,omitempty"`
	}
	attemptView struct {
		Sequence   int       `json:"sequence"`
		Number     int       `json:"number"`
		Cause      string    `json:"cause"`
		StartedAt  time.Time `json:"startedAt"`
		DurationMS int64     `json:"durationMs"`
		Code       int       `json:"code,omitempty"`
		Error      string    `json:"error,omitempty"`
		Excerpt    string    `json:"excerpt,omitempty"`
	}
	auditView struct {
		At           time.Time `json:"at"`
		Direction    string    `json:"direction"`
		ClientID     string    `json:"clientId,omitempty"`
		Method       string    `json:"method"`
		URL          string    `json:"url"`
		RequestBody  string    `json:"requestBody,omitempty"`
		ResponseCode int       `json:"responseCode,omitempty"`
		ResponseBody string    `json:"responseBody,omitempty"`
		DurationMS   int64     `json:"durationMs"`
		Note         string    `json:"note,omitempty"`
	}
	wholeStory struct {
		Payment    paymentView    `json:"payment"`
		Deliveries []deliveryView `json:"deliveries"`
		Attempts   []attemptView  `json:"attempts"`
		Audit      []auditView    `json:"auditTrail"`
	}
)

func viewOfPayment(p ledger.Payment) paymentView {
	return paymentView{
		Reference: p.Reference, ClientID: p.ClientID, ExternalID: p.ExternalID, Provider: p.Provider, Method: p.Method,
		Amount: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: string(p.Payer),
		PayerMessage: p.PayerMessage, PayeeNote: p.PayeeNote, Metadata: p.Metadata,
		Status: string(p.Status), Phase: string(p.Phase), TransactionID: p.FinancialTransactionID, Reason: p.Reason,
		Sequence: p.Sequence, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, EndedAt: p.EndedAt, EndedBy: string(p.EndedBy),
		Accepted: p.Accepted, Checks: p.Checks, CheckedAt: p.CheckedAt, NextCheckAt: p.NextCheckAt,
	}
}

func viewOfDelivery(d ledger.Delivery) deliveryView {
	v := deliveryView{
		Sequence: d.Sequence, EventID: d.EventID, Event: string(d.Event), State: string(d.State), HeldReason: d.HeldReason,
		URL: withoutQuery(d.URL), Attempts: d.Attempts, Claims: d.Claims, NextAttemptAt: d.NextAttemptAt, LeaseUntil: d.LeaseUntil,
		CreatedAt: d.CreatedAt, DeliveredAt: d.DeliveredAt, LastCode: d.LastCode, LastError: d.LastError,
	}
	if json.Valid([]byte(d.Body)) {
		v.Body = json.RawMessage(d.Body)
	}
	return v
}

func storyView(story ledger.Story, trail []ledger.AuditRecord) wholeStory {
	w := wholeStory{viewOfPayment(story.Payment), []deliveryView{}, []attemptView{}, []auditView{}}
	for _, d := range story.Deliveries {
		w.Deliveries = append(w.Deliveries, viewOfDelivery(d))
	}
	for _, a := range story.Attempts {
		w.Attempts = append(w.Attempts, attemptView{
			a.Sequence, a.Number, string(a.Cause), a.Started, a.Duration.Milliseconds(), a.Code, a.Error, a.Excerpt,
		})
	}
	for _, a := range trail {
		w.Audit = append(w.Audit, auditView{
			a.At, string(a.Direction), a.ClientID, a.Method, a.URL, a.RequestBody, a.ResponseCode, a.ResponseBody,
			a.Duration.Milliseconds(), a.Note,
		})
	}
	return w
}

// withoutQuery drops what may hold an app's own token.
func withoutQuery(url string) string {
	bare, _, _ := strings.Cut(url, "?")
	return bare
}
