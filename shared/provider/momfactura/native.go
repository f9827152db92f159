package momfactura

import (
	"bytes"
	"encoding/json"
	"strings"

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
	if saysSo(raw, pay, n) {
		return raw
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(n) // strings and a valid number: cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// merchantID is what an app finds the payment by: the id of the provider's
// that is in its own webhooks, else one that the app was told, else ours.
func merchantID(pay payment.Payment) string {
	for _, name := range []string{"merchantTransactionId", "transactionId", "operationId", "code"} {
		if id := pay.IDs[name]; id != "" {
			return id
		}
	}
	return pay.Reference
}

// saysSo says whether a webhook's body reports just this of just this
// payment, in the contract's words.
func saysSo(raw []byte, pay payment.Payment, want native) bool {
	if len(raw) == 0 || len(raw) > wire.MaxAnswer {
		return false
	}
	body, err := wire.ReadObject(raw)
	if err != nil {
		return false
	}
	event, has := body.Text("event")
	if event != want.Event || has && event == "" || !isText(body, "merchantTransactionId") || !isText(body, "operationStatus") {
		return false
	}
	if status, _ := body.Text("operationStatus"); status != want.OperationStatus {
		return false
	}
	if invoice, _ := body.Text("invoiceUrl"); invoice != want.InvoiceURL {
		return false
	}
	for name, own := range pay.IDs {
		if id, ok := scalar(body, name); ok && name != "code" && id != own {
			return false // it names another payment as well
		}
	}
	for _, id := range webhookIDs(body) {
		for _, own := range pay.IDs {
			if id == own {
				return true
			}
		}
	}
	return false
}

func isText(body wire.Object, name string) bool {
	return strings.HasPrefix(strings.TrimSpace(string(body[name])), `"`)
}
