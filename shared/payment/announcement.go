package payment

import (
	"bytes"
	"encoding/json"
	"time"
)

// announcement is the callback an app receives: the contract's five fields
// and what makes them checkable. Its bytes are made once, when the event is,
// and are signed and sent unchanged ever after.
type announcement struct {
	Event                  Event             `json:"event"`
	ReferenceID            string            `json:"referenceId"`
	ExternalID             string            `json:"externalId"`
	Status                 Status            `json:"status"`
	FinancialTransactionID *string           `json:"financialTransactionId"`
	Reason                 *string           `json:"reason"`
	FailureCode            FailureCode       `json:"failureCode,omitempty"`
	Provider               string            `json:"provider"`
	Amount                 string            `json:"amount"`
	Currency               string            `json:"currency"`
	Payer                  *string           `json:"payer"`
	Sequence               int               `json:"sequence"`
	OccurredAt             string            `json:"occurredAt"`
	InvoiceURL             string            `json:"invoiceUrl,omitempty"`
	Metadata               map[string]string `json:"metadata,omitempty"`
}

// Announcement writes the callback body of p's event e with that sequence,
// p being the payment as the event left it. Amount is in major units with the
// currency's places; times are RFC 3339 UTC. The payer is null where the
// payment names none. The invoice's URL is in its own event alone.
func Announcement(p Payment, e Event, sequence int) []byte {
	occurred, invoice := p.EndedAt, ""
	if e == EventInvoice {
		occurred, invoice = p.UpdatedAt, p.InvoiceURL
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// The struct holds strings and numbers only: encoding cannot fail.
	_ = enc.Encode(announcement{
		Event: e, ReferenceID: p.Reference, ExternalID: p.ExternalID, Status: p.Status,
		FinancialTransactionID: orNull(p.FinancialTransactionID), Reason: orNull(p.Reason), FailureCode: p.FailureCode,
		Provider: p.Provider, Amount: p.Amount.Decimal(), Currency: p.Amount.Currency, Payer: orNull(string(p.Payer)),
		Sequence: sequence, OccurredAt: Timestamp(occurred), InvoiceURL: invoice, Metadata: p.Metadata,
	})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Timestamp writes a time as apps read it: RFC 3339 in UTC, always with
// milliseconds, because parsers of a fixed format exist.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
