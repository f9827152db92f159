package mtn

import (
	"encoding/json"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

// native is the callback as seen (its field order too).
type native struct {
	FinancialTransactionID string      `json:"financialTransactionId,omitempty"`
	ExternalID             string      `json:"externalId"`
	Amount                 string      `json:"amount"`
	Currency               string      `json:"currency"`
	Payer                  nativePayer `json:"payer"`
	PayerMessage           string      `json:"payerMessage,omitempty"`
	PayeeNote              string      `json:"payeeNote,omitempty"`
	Status                 string      `json:"status"`
	Reason                 string      `json:"reason,omitempty"`
}

type nativePayer struct {
	PartyIDType string `json:"partyIdType"`
	PartyID     string `json:"partyId"`
}

// Native implements provider.Provider. externalId is what MTN was given: the
// payment's reference. MTN has one word for every ending but a success, and
// reasons to tell them apart.
func (p *Provider) Native(pay payment.Payment, e payment.Event, raw []byte) []byte {
	status, reason := "FAILED", pay.Reason
	switch e {
	case payment.EventSuccessful:
		status, reason = "SUCCESSFUL", ""
	case payment.EventCancelled:
		if reason == "" {
			reason = "TRANSACTION_CANCELED"
		}
	case payment.EventTimeout:
		reason = "EXPIRED"
	case payment.EventFailed:
	default:
		return nil
	}
	if saysSo(raw, pay.Reference, status) {
		return raw
	}
	body, _ := json.Marshal(native{ // strings only: always marshals
		FinancialTransactionID: pay.FinancialTransactionID, ExternalID: pay.Reference,
		Amount: pay.Amount.Decimal(), Currency: pay.Amount.Currency,
		Payer:        nativePayer{"MSISDN", string(pay.Payer)},
		PayerMessage: pay.PayerMessage, PayeeNote: pay.PayeeNote, Status: status, Reason: reason,
	})
	return body
}

// saysSo says whether a callback's body reports just this status of just
// this payment.
func saysSo(raw []byte, reference, status string) bool {
	if len(raw) == 0 || len(raw) > wire.MaxAnswer {
		return false
	}
	fields, err := wire.ReadObject(raw)
	if err != nil {
		return false
	}
	word, _ := fields.Text("status")
	id, _ := fields.Text("externalId")
	return word == status && id == reference
}
