package simulation

import (
	"encoding/json"
	"slices"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// announced is what an app reads in one of its callbacks.
type announced struct {
	ReferenceID, ExternalID, Amount, InvoiceURL string
	Event                                       payment.Event
	Status                                      payment.Status
	Sequence                                    int
	Refund                                      struct{ RefundID, Status, Amount string }
}

// read reads an event as the app does: in our form, or in its provider's own,
// as the app has asked for.
func (w *world) read(a *app, id string, body []byte) (announced, bool) {
	var e announced
	if err := json.Unmarshal(body, &e); err != nil {
		w.violate(EventsOnce, "event %s is no JSON", id)
		return announced{}, false
	}
	m, known := w.books.events[id]
	p := w.books.payments[m.reference]
	switch {
	case !known:
		w.violate(EventsOnce, "%s got event %s, which is none", a.name, id)
		return announced{}, false
	case p.NativeCallbacks && (e.ReferenceID == "" || !w.ours(p, m)):
		w.result.Stats.Natives++
		return w.readNative(p, m, body)
	case e.ReferenceID != m.reference || e.Sequence != m.sequence || e.Event != m.event:
		w.violate(EventsOnce, "event %s is %s %d of %s, and reads %s %d of %s", id, m.event, m.sequence, m.reference, e.Event, e.Sequence, e.ReferenceID)
	case (e.InvoiceURL != "") != (e.Event == payment.EventInvoice):
		w.violate(EventsOnce, "event %s, %s, has the invoice %q", id, e.Event, e.InvoiceURL)
	}
	return e, true
}

// ofRefund: no provider's own payload tells of a refund.
func ofRefund(e payment.Event) bool {
	return e == payment.EventRefundSuccessful || e == payment.EventRefundFailed
}

// ours: an operator's tool knows no provider's words.
func (w *world) ours(p ledger.Payment, m made) bool {
	return ofRefund(m.event) || p.EndedBy == payment.FromOperator && endings[p.Status] == m.event
}

// nativeBody is whatever the three providers' own payloads hold.
type nativeBody struct {
	ExternalID            string      `json:"externalId"` // MTN
	Status                string      `json:"status"`
	Amount                json.Number `json:"amount"`
	MerchantTransactionID string      `json:"merchantTransactionId"` // the second provider
	EkwanzaTransactionID  any         `json:"ekwanzaTransactionId"`
	Event                 string      `json:"event"`
	OperationStatus       string      `json:"operationStatus"`
	InvoiceURL            string      `json:"invoiceUrl"`
	Type                  string      `json:"type"` // the third
	Data                  struct {
		ID                string      `json:"id"`
		ExternalReference string      `json:"external_reference"`
		Status            string      `json:"status"`
		Amount            json.Number `json:"amount"`
	} `json:"data"`
}

// wordsOfMTN are how MTN names an ending.
var wordsOfMTN = map[payment.Event][]string{
	payment.EventSuccessful: {"SUCCESSFUL"}, payment.EventFailed: {"FAILED"}, payment.EventCancelled: {"FAILED"}, payment.EventTimeout: {"FAILED"},
}

// readNative: a provider's own payload says just this of just this payment.
func (w *world) readNative(p ledger.Payment, m made, body []byte) (announced, bool) {
	var n nativeBody
	if err := json.Unmarshal(body, &n); err != nil {
		w.violate(EventsOnce, "event %d of %s cannot be read as %s's: %v", m.sequence, p.Reference, p.Provider, err)
		return announced{}, false
	}
	word, own, words := n.Status, n.ExternalID == p.Reference, wordsOfMTN
	if of := w.party(p.Provider); of != nil {
		word, own = of.native(p, n)
		words = of.words
	}
	switch {
	case !own:
		w.violate(Separation, "event %d of %s names another payment: %s", m.sequence, p.Reference, body)
	case !slices.Contains(words[m.event], word):
		w.violate(EventsOnce, "event %d of %s, %s, says %q: %s", m.sequence, p.Reference, m.event, word, body)
	}
	e := announced{
		ReferenceID: p.Reference, ExternalID: p.ExternalID, Sequence: m.sequence, Event: m.event,
		Amount: p.Amount.Decimal(), InvoiceURL: n.InvoiceURL,
	}
	for s, event := range endings {
		if event == m.event {
			e.Status = s
		}
	}
	return e, true
}

func (w *world) hasID(p ledger.Payment, id string) bool {
	for _, own := range p.IDs {
		if own == id {
			return true
		}
	}
	return false
}
