package main

import (
	"encoding/json"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

// What --json shows of payments and deliveries. Hashes, and what only serves
// replays of requests, are left out.
type (
	paymentView struct {
		Reference     string            `json:"referenceId"`
		ClientID      string            `json:"clientId"`
		ExternalID    string            `json:"externalId"`
		Provider      string            `json:"provider"`
		Method        string            `json:"method,omitempty"`
		Amount        string            `json:"amount"`
		Currency      string            `json:"currency"`
		Payer         string            `json:"payer,omitempty"`
		PayerMessage  string            `json:"payerMessage,omitempty"`
		PayeeNote     string            `json:"payeeNote,omitempty"`
		Metadata      map[string]string `json:"metadata,omitempty"`
		ProviderIDs   map[string]string `json:"providerIds,omitempty"`
		Instructions  map[string]string `json:"instructions,omitempty"`
		ExpiresAt     time.Time         `json:"expiresAt,omitzero"`
		InvoiceURL    string            `json:"invoiceUrl,omitempty"`
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
		Unanswerable  bool              `json:"unanswerable,omitempty"`
		Checks        int               `json:"checks"`
		CheckedAt     time.Time         `json:"checkedAt,omitzero"`
		NextCheckAt   time.Time         `json:"nextCheckAt,omitzero"`
		Refunded      string            `json:"refundedAmount,omitempty"` // of all refunds that have not failed
	}
	deliveryView struct {
		Reference     string          `json:"referenceId"`
		Sequence      int             `json:"sequence"`
		ClientID      string          `json:"clientId"`
		EventID       string          `json:"eventId"`
		Event         string          `json:"event"`
		State         string          `json:"state"`
		HeldReason    string          `json:"heldReason,omitempty"`
		Endpoint      string          `json:"endpoint,omitempty"` // that it is held for
		URL           string          `json:"url,omitempty"`
		Attempts      int             `json:"attempts"` // that counted against the schedule
		Claims        int             `json:"claims"`   // all
		NextAttemptAt time.Time       `json:"nextAttemptAt,omitzero"`
		RequestedAt   time.Time       `json:"manualAt,omitzero"` // an attempt asked for, not made yet
		ResentAt      time.Time       `json:"resentAt,omitzero"` // when one was last asked for
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
		Location   string    `json:"location,omitempty"`
		TLSFault   string    `json:"tlsFault,omitempty"`
	}
	wholeStory struct {
		Payment    paymentView    `json:"payment"`
		Refunds    []refundView   `json:"refunds,omitempty"`
		Deliveries []deliveryView `json:"deliveries"`
		Attempts   []attemptView  `json:"attempts"`
		Audit      []auditView    `json:"auditTrail"`
		Truncated  bool           `json:"auditTruncated,omitempty"` // the middle of the trail is left out
	}
)

func viewOfPayment(p ledger.Payment) paymentView {
	v := paymentView{
		Reference: p.Reference, ClientID: p.ClientID, ExternalID: p.ExternalID, Provider: p.Provider, Method: p.Method,
		Amount: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: string(p.Payer),
		PayerMessage: p.PayerMessage, PayeeNote: p.PayeeNote, Metadata: p.Metadata,
		ProviderIDs: p.IDs, Instructions: p.Instructions, ExpiresAt: p.ExpiresAt, InvoiceURL: p.InvoiceURL,
		Status: string(p.Status), Phase: string(p.Phase), TransactionID: p.FinancialTransactionID, Reason: p.Reason,
		Sequence: p.Sequence, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt, EndedAt: p.EndedAt, EndedBy: string(p.EndedBy),
		Accepted: p.Accepted, Unanswerable: p.Unanswerable, Checks: p.Checks, CheckedAt: p.CheckedAt, NextCheckAt: p.NextCheckAt,
	}
	if p.Refunds.Reserved > 0 {
		v.Refunded = givenBack(p).Decimal()
	}
	return v
}

// viewOfDelivery leaves the body out of lists.
func viewOfDelivery(d delivery.Delivery, withBody bool) deliveryView {
	v := deliveryView{
		Reference: d.Reference, Sequence: d.Sequence, ClientID: d.ClientID,
		EventID: d.EventID, Event: string(d.Event), State: string(d.State), HeldReason: d.HeldReason, Endpoint: d.Endpoint,
		URL: withoutQuery(d.URL), Attempts: d.Attempts, Claims: d.Claims, NextAttemptAt: d.NextAttemptAt,
		RequestedAt: d.RequestedAt, ResentAt: d.ResentAt, LeaseUntil: d.LeaseUntil,
		CreatedAt: d.CreatedAt, DeliveredAt: d.DeliveredAt, LastCode: d.Last().Code, LastError: d.Last().Error,
	}
	if withBody && json.Valid([]byte(d.Body)) {
		v.Body = json.RawMessage(d.Body)
	}
	return v
}

func viewOfAttempt(a delivery.Attempt) attemptView {
	return attemptView{a.Sequence, a.Number, string(a.Cause), a.Started, a.Duration.Milliseconds(), a.Code, a.Error, a.Excerpt, a.Location, a.TLSFault}
}

func storyView(story ledger.Story, trail []ledger.AuditRecord, whole bool) wholeStory {
	w := wholeStory{viewOfPayment(story.Payment), nil, []deliveryView{}, []attemptView{}, []auditView{}, !whole}
	for _, f := range story.Refunds {
		w.Refunds = append(w.Refunds, viewOfRefund(f))
	}
	for _, d := range story.Deliveries {
		w.Deliveries = append(w.Deliveries, viewOfDelivery(d, true))
	}
	for _, a := range story.Attempts {
		w.Attempts = append(w.Attempts, viewOfAttempt(a))
	}
	for _, a := range trail {
		w.Audit = append(w.Audit, viewOfAudit(a, auditName(story.Payment.Provider)))
	}
	return w
}

// withoutQuery drops what may hold an app's own token.
func withoutQuery(url string) string {
	bare, _, _ := strings.Cut(url, "?")
	return bare
}
