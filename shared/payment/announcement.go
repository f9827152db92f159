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
	Refund                 *RefundNotice     `json:"refund,omitempty"`
	Metadata               map[string]string `json:"metadata,omitempty"`
}

// RefundNotice is what the event of a refund says about it. The fields beside it
// are the payment's: an app that reads them alone learns that it was paid, which
// is still true.
type RefundNotice struct {
	RefundID               string  `json:"refundId"`
	Status                 string  `json:"status"`
	Amount                 string  `json:"amount"`
	Currency               string  `json:"currency"`
	FinancialTransactionID *string `json:"financialTransactionId"`
	ProviderCode           *string `json:"providerCode"` // why it failed
	// RefundedAmount is what all refunds of the payment that have not failed
	// come to.
	RefundedAmount string `json:"refundedAmount"`
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
	return announce(p, announcement{Event: e, Sequence: sequence, OccurredAt: Timestamp(occurred), InvoiceURL: invoice})
}

// RefundAnnouncement writes the callback body of a refund's event, as
// Announcement does.
func RefundAnnouncement(p Payment, e Event, sequence int, occurred time.Time, n RefundNotice) []byte {
	return announce(p, announcement{Event: e, Sequence: sequence, OccurredAt: Timestamp(occurred), Refund: &n})
}

func announce(p Payment, a announcement) []byte {
	a.ReferenceID, a.ExternalID, a.Status = p.Reference, p.ExternalID, p.Status
	a.FinancialTransactionID, a.Reason, a.FailureCode = orNull(p.FinancialTransactionID), orNull(p.Reason), p.FailureCode
	a.Provider, a.Amount, a.Currency, a.Payer, a.Metadata = p.Provider, p.Amount.Decimal(), p.Amount.Currency, orNull(string(p.Payer)), p.Metadata
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// The struct holds strings and numbers only: encoding cannot fail.
	_ = enc.Encode(a)
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
