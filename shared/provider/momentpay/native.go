package momentpay

import (
	"strconv"
	"strings"
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
// paid in time expired, by its clock or by ours.
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
	if passable(raw, pay, status) {
		return raw
	}
	n := native{
		ID: pay.IDs["id"], Status: status, Type: MethodLink,
		Amount: pay.Amount.Minor, Currency: pay.Amount.Currency,
		PaymentID: pay.FinancialTransactionID, ExternalReference: pay.Reference, Description: pay.PayerMessage,
		ExpiresAt: instant(expiry(pay)), CreatedAt: instant(pay.CreatedAt), UpdatedAt: instant(ended(pay)),
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

// eventID says whether id looks like an event's own.
func eventID(id string) bool {
	return strings.HasPrefix(id, "evt_") && len(id) > len("evt_") && len(id) <= 104 && safeID(id)
}

// passable says whether a webhook may be passed on unchanged: it holds nothing
// but what was exchanged with MomentPay for this payment. Its event's own id,
// and when the request was made and changed, are MomentPay's to say.
func passable(raw []byte, pay payment.Payment, status string) bool {
	types := []string{"payment_request.updated", "payment_link.updated"}
	if status == "paid" {
		types = append(types, eventPaid)
	}
	method, expires := MethodLink, expiry(pay)
	if pay.Method == MethodPush {
		method = MethodPush
	}
	link := wire.ID(pay.Instructions["link"])
	data := wire.Form{
		"id":                 wire.ID(pay.IDs["id"]),
		"status":             wire.Text(status),
		"type":               wire.Text(method),
		"amount":             wire.Literal(strconv.FormatInt(pay.Amount.Minor, 10)),
		"payment_id":         wire.ID(pay.FinancialTransactionID, pay.IDs["payment_id"]),
		"currency":           wire.Text(pay.Amount.Currency),
		"external_reference": wire.ID(pay.Reference),
		"description":        wire.Text(pay.PayerMessage),
		"expires_at":         wire.Instant(expires.Equal),
		"created_at":         wire.Instant(nil),
		"updated_at":         wire.Instant(nil),
		"link": wire.Nested(wire.Form{
			"checkout_session_id": wire.ID(pay.IDs["checkout_session_id"]), "link_url": link, "url": link,
		}),
	}
	if pay.Method == MethodPush {
		data["push"] = wire.Nested(wire.Form{
			"provider": wire.Text("capitec"),
			"capitec":  wire.Nested(wire.Form{"phone_number": wire.ID("+" + string(pay.Payer))}),
		})
	}
	return wire.Form{
		"id":   wire.Like(eventID),
		"type": wire.ID(types...),
		"data": wire.Nested(data, "external_reference", "status"),
	}.Admits(raw, "type", "data")
}
