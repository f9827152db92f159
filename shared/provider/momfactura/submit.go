package momfactura

import (
	"context"
	"encoding/json"
	"net/http"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// order is the body of every submission (skill). Products and customer are for
// the invoice, and for a reference or MCX only (SDK 1.0.8): the amount stays
// beside them, and they add up to it.
type order struct {
	PaymentInfo     paymentInfo `json:"paymentInfo"`
	Products        []product   `json:"products,omitempty"`
	Customer        *customer   `json:"customer,omitempty"`
	InstantWithdraw bool        `json:"instantWithdraw,omitempty"`
}

// product is one line. The SDK counts 14 where iva is left out.
type product struct {
	Name     string      `json:"productName"`
	Price    json.Number `json:"productPrice"` // Kwanza for one, tax included
	Quantity int64       `json:"productQuantity"`
	IVA      *int        `json:"iva,omitempty"` // percent
}

// customer is whom the invoice names; without one "Consumidor Final" (SDK).
type customer struct {
	Name  string `json:"name"`
	NIF   string `json:"nif"`
	Phone string `json:"phone,omitempty"`
}

type paymentInfo struct {
	Amount      json.Number `json:"amount"` // Kwanza, as a JSON number
	PhoneNumber string      `json:"phoneNumber,omitempty"`
}

// orderBody writes the amount digit by digit from the exact one: it is never
// a float.
func (p *Provider) orderBody(pay payment.Payment, invoice provider.Invoice) []byte {
	o := order{PaymentInfo: paymentInfo{Amount: json.Number(pay.Amount.Decimal())}, InstantWithdraw: !p.cfg.NoInstantWithdraw}
	if p.needsPayer(pay.Method) {
		o.PaymentInfo.PhoneNumber = string(pay.Payer)
	}
	if p.Capabilities().Method(pay.Method).Invoice.MaxLines > 0 {
		lines := invoice.Lines
		if len(lines) == 0 && p.cfg.DefaultLine != "" {
			lines = []provider.Line{{Name: p.cfg.DefaultLine, Price: pay.Amount, Quantity: 1, TaxPercent: p.cfg.DefaultIVA}}
		}
		for _, line := range lines {
			o.Products = append(o.Products, product{line.Name, json.Number(line.Price.Decimal()), line.Quantity, line.TaxPercent})
		}
		if c := invoice.Customer; c != (provider.Customer{}) {
			o.Customer = &customer{c.Name, c.TaxID, c.Phone}
		}
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
func (p *Provider) Submit(ctx context.Context, pay payment.Payment, callbackURL string) provider.Answer {
	return p.SubmitInvoiced(ctx, pay, callbackURL, provider.Invoice{})
}

// SubmitInvoiced implements provider.Invoicer.
func (p *Provider) SubmitInvoiced(ctx context.Context, pay payment.Payment, _ string, invoice provider.Invoice) provider.Answer {
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
		Method: http.MethodPost, Path: "/api/payment/" + method, Headers: headers, Body: p.orderBody(pay, invoice),
	}, p.cfg.AttemptTimeout)
	e := readSubmit(r, method, p.now())
	if e.Verdict == payment.SaysNothing && method != MethodReference && !r.Unsent {
		e.Verdict = payment.SaysUnanswerable
	}
	return provider.Answer{Evidence: said(e), Exchanges: trail, Attempted: !r.Unsent, RetryAfter: wire.RetryAfter(r)}
}
