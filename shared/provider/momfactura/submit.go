package momfactura

import (
	"context"
	"encoding/json"
	"net/http"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// order is the body of every submission (skill). Products are left out on
// purpose: with them the pages disagree on whether the amount may stay and
// which tax is added, and the amount is all that was asked for.
type order struct {
	PaymentInfo     paymentInfo `json:"paymentInfo"`
	InstantWithdraw bool        `json:"instantWithdraw,omitempty"`
}

type paymentInfo struct {
	Amount      json.Number `json:"amount"` // Kwanza, as a JSON number
	PhoneNumber string      `json:"phoneNumber,omitempty"`
}

// orderBody writes the amount digit by digit from the exact one: it is never
// a float.
func (p *Provider) orderBody(pay payment.Payment) []byte {
	o := order{PaymentInfo: paymentInfo{Amount: json.Number(pay.Amount.Decimal())}, InstantWithdraw: !p.cfg.NoInstantWithdraw}
	if p.needsPayer(pay.Method) {
		o.PaymentInfo.PhoneNumber = string(pay.Payer)
	}
	body, _ := json.Marshal(o) // a valid number and plain digits: cannot fail
	return body
}

func (p *Provider) needsPayer(method string) bool {
	return method == MethodEkwanza || method == MethodMCX
}

// Submit implements provider.Provider. The request is sent once and never
// again: there is no idempotency key and no reference of ours that the
// provider would take, so that a repeat can be a second payment (the SDK
// repeats on 5xx and timeouts all the same). callbackURL is not sent: the
// webhook's address is set by hand in the provider's portal.
//
// What is left when the answer is lost depends on the method. An MCX or
// E-kwanza payer may have paid, and nothing can be asked without the ids of
// the lost answer: SaysUnanswerable, for an operator. A bank reference can be
// paid by nobody, because nobody knows its number: SaysNothing, and our clock
// ends it.
func (p *Provider) Submit(ctx context.Context, pay payment.Payment, _ string) provider.Answer {
	method := p.Capabilities().Method(pay.Method).Name
	said := func(e payment.Evidence) payment.Evidence {
		e.Source, e.At = payment.FromSubmit, p.now()
		return e
	}
	if ctx.Err() != nil {
		return provider.Answer{Evidence: said(payment.Evidence{Verdict: payment.SaysNothing, Reason: "Mom Factura was not asked: no time was left"})}
	}
	pay.Method = method
	headers := p.headers()
	headers["Content-Type"] = "application/json"
	var trail wire.Trail
	r := p.client.Do(ctx, &trail, wire.Call{
		Method: http.MethodPost, Path: "/api/payment/" + method, Headers: headers, Body: p.orderBody(pay),
	}, p.cfg.AttemptTimeout)
	e := readSubmit(r, method, p.now())
	if e.Verdict == payment.SaysNothing && method != MethodReference && !r.Unsent {
		e.Verdict = payment.SaysUnanswerable
	}
	return provider.Answer{Evidence: said(e), Exchanges: trail, Attempted: !r.Unsent, RetryAfter: wire.RetryAfter(r)}
}
