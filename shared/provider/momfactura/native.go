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
	if !confined(body, pay) {
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

// The fields of a webhook (contract), and what may be in its operationData
// (inferred from the upstream gateway's callback; not confirmed).
var (
	fields = map[string]bool{
		"event": true, "merchantTransactionId": true, "ekwanzaTransactionId": true,
		"operationStatus": true, "operationData": true, "invoiceUrl": true,
	}
	dataFields = map[string]bool{
		"amount": true, "merchantIdentifier": true, "referenceType": true,
		"referenceId": true, "externalId": true, "currency": true, // as in what we write
	}
)

// confined says whether a webhook holds nothing but what is known to be in
// one, and nothing of another payment. The token in its address may have leaked, and the
// status endpoint confirms none of the rest: an app that finds its order in
// it would be led by whoever wrote it.
func confined(body wire.Object, pay payment.Payment) bool {
	for name := range body {
		if !fields[name] {
			return false
		}
	}
	data, has, err := body.Child("operationData")
	if err != nil || !has {
		text := strings.TrimSpace(string(body["operationData"]))
		return err == nil && (text == "" || text == "null")
	}
	for name := range data {
		if !dataFields[name] {
			return false
		}
	}
	for name, own := range map[string]string{"referenceId": pay.Reference, "externalId": pay.ExternalID, "currency": pay.Amount.Currency} {
		if text, ok := scalar(data, name); ok && text != own {
			return false
		}
	}
	if amount, ok := scalar(data, "amount"); ok {
		m, err := payment.ParseReported(amount, pay.Amount.Currency)
		return err == nil && m == pay.Amount
	}
	return true
}

func isText(body wire.Object, name string) bool {
	return strings.HasPrefix(strings.TrimSpace(string(body[name])), `"`)
}
