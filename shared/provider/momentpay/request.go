package momentpay

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/wire"
)

const requestPath = "/collect/payment_request"

// request is the body that asks for a payment (docs, create a payment
// request). Metadata is left out: MomentPay needs none of the app's.
type request struct {
	Type     string `json:"type"`
	Amount   int64  `json:"amount"` // minor units
	Currency string `json:"currency"`
	// Our own reference, not the app's order id: two apps may have the same,
	// and the docs take letters, digits, _ and - only.
	ExternalReference string `json:"external_reference"`
	Description       string `json:"description,omitempty"`
	ExpiresAt         string `json:"expires_at"`
	Push              *push  `json:"push,omitempty"`
}

type push struct {
	Provider string  `json:"provider"`
	Capitec  capitec `json:"capitec"`
}

type capitec struct {
	PhoneNumber string `json:"phone_number"` // with its plus
}

func pushTo(payer payment.MSISDN) *push { return &push{"capitec", capitec{"+" + string(payer)}} }

// requestFor makes the call that asks for p. It depends on what of p never
// changes and on nothing else, so it is the same byte for byte whenever and
// by whomever it is sent: what MomentPay answers to a known key with another
// body is not confirmed. The key is the payment's reference.
func (p *Provider) requestFor(pay payment.Payment) wire.Call {
	body := request{
		Type: MethodLink, Amount: pay.Amount.Minor, Currency: pay.Amount.Currency, ExternalReference: pay.Reference,
		Description: pay.PayerMessage, ExpiresAt: instant(expiry(pay)),
	}
	if pay.Method == MethodPush {
		body.Type, body.Push = MethodPush, pushTo(pay.Payer)
	}
	c := p.authorised(http.MethodPost, requestPath)
	c.Headers["Content-Type"] = "application/json"
	c.Headers["Idempotency-Key"] = pay.Reference
	c.Body = encode(body)
	return c
}

// authorised is a call with the account's key.
func (p *Provider) authorised(method, path string) wire.Call {
	return wire.Call{Method: method, Path: path, Headers: map[string]string{
		"Authorization": "Bearer " + p.cfg.SecretKey, "Accept": "application/json",
	}}
}

// expiry is when a payer can no longer pay: as the app or MomentPay has said,
// else counted from the payment's creation and not from the moment at which it
// is sent.
func expiry(pay payment.Payment) time.Time {
	if !pay.ExpiresAt.IsZero() {
		return pay.ExpiresAt
	}
	life := linkLife
	if pay.Method == MethodPush {
		life = pushLife
	}
	return pay.CreatedAt.Add(life).UTC().Truncate(time.Second)
}

// instant writes a time as MomentPay does: whole seconds, UTC.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// encode writes v, which holds nothing that cannot be encoded.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
