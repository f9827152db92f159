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
	if passable(pay, status, reason).Admits(raw, "externalId", "status") {
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

// passable is what a callback may hold to be passed on unchanged: nothing but
// what MTN was asked for, and what its status answer has said since. Anybody
// who learns the callback's address can send one, and the app gets it signed.
func passable(pay payment.Payment, status, reason string) wire.Form {
	return wire.Form{
		"externalId":             wire.ID(pay.Reference),
		"status":                 wire.Text(status),
		"amount":                 wire.AmountText(pay.Amount),
		"currency":               wire.Text(pay.Amount.Currency),
		"payer":                  wire.Nested(wire.Form{"partyIdType": wire.Text("MSISDN"), "partyId": wire.ID(string(pay.Payer))}),
		"payerMessage":           wire.Text(sendable(pay.PayerMessage)),
		"payeeNote":              wire.Text(sendable(pay.PayeeNote)),
		"financialTransactionId": wire.ID(pay.FinancialTransactionID),
		"reason":                 wire.AnyOf(wire.ID(reason), wire.Nested(wire.Form{"code": wire.ID(reason)})),
	}
}
