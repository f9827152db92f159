package momfactura

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

// native is the webhook in the contract's form and field order.
type native struct {
	Event                 string        `json:"event,omitempty"`
	MerchantTransactionID string        `json:"merchantTransactionId"`
	EkwanzaTransactionID  string        `json:"ekwanzaTransactionId"`
	OperationStatus       string        `json:"operationStatus"`
	OperationData         operationData `json:"operationData"`
	InvoiceURL            string        `json:"invoiceUrl,omitempty"`
}

// operationData: the contract shows { ... }. What stands here ties the
// webhook to the app's own order, which the provider knows nothing of.
type operationData struct {
	ReferenceID string      `json:"referenceId"`
	ExternalID  string      `json:"externalId,omitempty"`
	Amount      json.Number `json:"amount"`
	Currency    string      `json:"currency"`
}

// nativeWords is what the provider says of an event: a payment made has an
// event of its own, an ending otherwise none.
var nativeWords = map[payment.Event]struct{ event, status string }{
	payment.EventSuccessful: {eventConfirmed, operationPaid},
	payment.EventInvoice:    {eventInvoice, operationPaid},
	payment.EventCancelled:  {"", operationCancelled},
	payment.EventTimeout:    {"", operationCancelled},
	payment.EventFailed:     {"", operationFailed},
}

// Native implements provider.Provider. Where no webhook came, or one that an
// app written for the contract would not understand (a paid one without
// event, a status as a number), it is written from the payment.
func (p *Provider) Native(pay payment.Payment, e payment.Event, raw []byte) []byte {
	words, known := nativeWords[e]
	if !known {
		return nil
	}
	n := native{
		Event: words.event, OperationStatus: words.status,
		MerchantTransactionID: merchantID(pay),
		EkwanzaTransactionID:  pay.IDs["ekwanzaTransactionId"],
		OperationData: operationData{
			ReferenceID: pay.Reference, ExternalID: pay.ExternalID,
			Amount: json.Number(pay.Amount.Decimal()), Currency: pay.Amount.Currency,
		},
	}
	if e == payment.EventInvoice {
		n.InvoiceURL = pay.InvoiceURL
	}
	if passable(raw, pay, n) {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(n) // strings and a valid number: cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// merchantID is what an app finds the payment by: the id of the provider's
// that is in its own webhooks, else one that the app received, else ours.
func merchantID(pay payment.Payment) string {
	for _, name := range []string{"merchantTransactionId", "transactionId", "operationId", "code"} {
		if id := pay.IDs[name]; id != "" {
			return id
		}
	}
	return pay.Reference
}

// passable says whether a webhook may be passed on unchanged: it holds nothing
// but what the provider is known to have said of this payment, in the
// contract's words. The token in its address may have leaked, and the status
// endpoint confirms none of the rest. An app that finds its order in it would
// be led by its sender.
func passable(raw []byte, pay payment.Payment, want native) bool {
	required := []string{"merchantTransactionId", "operationStatus"}
	if want.Event != "" {
		required = append(required, "event")
	}
	if want.InvoiceURL != "" {
		required = append(required, "invoiceUrl")
	}
	own := wire.ID(slices.Collect(maps.Values(pay.IDs))...)
	return wire.Form{
		"event":                 wire.ID(want.Event),
		"merchantTransactionId": own,
		"ekwanzaTransactionId":  own,
		"operationStatus":       wire.Text(want.OperationStatus),
		"invoiceUrl":            wire.ID(want.InvoiceURL),
		// Its content is published nowhere: as in what we write.
		"operationData": wire.Nested(wire.Form{
			"referenceId": wire.ID(pay.Reference),
			"externalId":  wire.ID(pay.ExternalID),
			"amount":      wire.AmountNumber(pay.Amount),
			"currency":    wire.Text(pay.Amount.Currency),
		}),
	}.Admits(raw, required...)
}
