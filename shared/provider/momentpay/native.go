package momentpay

import (
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

// envelope is a webhook as the contract shows it, its field order too.
type envelope struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data native `json:"data"`
}

type native struct {
	ID                string      `json:"id,omitempty"`
	Status            string      `json:"status"`
	Type              string      `json:"type"`
	Amount            int64       `json:"amount"` // minor units
	PaymentID         string      `json:"payment_id,omitempty"`
	Currency          string      `json:"currency"`
	ExternalReference string      `json:"external_reference"`
	Description       string      `json:"description,omitempty"`
	ExpiresAt         string      `json:"expires_at"`
	Link              *nativeLink `json:"link,omitempty"`
	Push              *push       `json:"push,omitempty"`
	CreatedAt         string      `json:"created_at"`
	UpdatedAt         string      `json:"updated_at"`
}

type nativeLink struct {
	CheckoutSessionID string `json:"checkout_session_id,omitempty"`
	LinkURL           string `json:"link_url,omitempty"`
}

// Native implements provider.Provider. external_reference is what MomentPay
// was given: the payment's reference. MomentPay calls a request that nobody
// paid in time expired, whoever's clock says so.
func (p *Provider) Native(pay payment.Payment, e payment.Event, raw []byte) []byte {
	event, status := "payment_request.updated", ""
	switch e {
	case payment.EventSuccessful:
		event, status = eventPaid, "paid"
	case payment.EventFailed:
		status = "failed"
	case payment.EventCancelled, payment.EventTimeout:
		status = "expired"
	default:
		return nil
	}
	if saysSo(raw, pay, status) {
		return raw
	}
	expires := pay.ExpiresAt
	if expires.IsZero() {
		expires = expiry(pay)
	}
	n := native{
		ID: pay.IDs["id"], Status: status, Type: MethodLink,
		Amount: pay.Amount.Minor, Currency: pay.Amount.Currency,
		PaymentID: pay.FinancialTransactionID, ExternalReference: pay.Reference, Description: pay.PayerMessage,
		ExpiresAt: instant(expires), CreatedAt: instant(pay.CreatedAt), UpdatedAt: instant(ended(pay)),
	}
	if n.PaymentID == "" {
		n.PaymentID = pay.IDs["payment_id"]
	}
	link := nativeLink{CheckoutSessionID: pay.IDs["checkout_session_id"], LinkURL: pay.Instructions["link"]}
	if pay.Method == MethodPush {
		n.Type, n.Push = MethodPush, pushTo(pay.Payer)
	} else if link != (nativeLink{}) {
		n.Link = &link
	}
	return encode(envelope{ID: payment.EventID(pay.Reference, pay.Sequence), Type: event, Data: n})
}

// ended is when the payment got where it is.
func ended(pay payment.Payment) time.Time {
	if pay.EndedAt.IsZero() {
		return pay.UpdatedAt
	}
	return pay.EndedAt
}

// saysSo says whether a webhook's body reports just this status of just this
// payment.
func saysSo(raw []byte, pay payment.Payment, status string) bool {
	if len(raw) == 0 || len(raw) > wire.MaxAnswer {
		return false
	}
	body, err := wire.ReadObject(raw)
	if err != nil {
		return false
	}
	event, _ := body.Text("type")
	data, ok, err := body.Child("data")
	if err != nil || !ok || !events[event] || event == eventPaid && status != "paid" {
		return false
	}
	t, err := readRequest(data)
	if err != nil || t.status != status {
		return false
	}
	id := pay.IDs["id"]
	return (t.reference == pay.Reference || t.reference == "" && id != "") && (id == "" || t.id == id)
}
