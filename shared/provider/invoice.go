package provider

import (
	"context"

	"momoproxy/shared/payment"
)

// Invoice is what an app wants on the invoice that a provider makes. It goes to
// the provider with the request and is stored nowhere but in the audit records
// of the exchanges.
type Invoice struct {
	Lines    []Line
	Customer Customer // zero: not named
}

// Line is one line of an invoice. Price times Quantity of all lines is the
// payment's amount, tax included.
type Line struct {
	Name       string
	Price      payment.Money
	Quantity   int64
	TaxPercent *int // nil: the provider's default
}

// Customer is whom an invoice names.
type Customer struct {
	Name  string
	TaxID string // at Mom Factura the NIF
	Phone string // empty: none
}

// InvoiceLimits are what a method takes of an Invoice.
type InvoiceLimits struct {
	MaxLines      int // 0: the method takes no Invoice
	MaxTaxPercent int
}

// Invoicer is an adapter whose provider makes invoices.
type Invoicer interface {
	// SubmitInvoiced is Submit with what the invoice is to say, which the
	// caller has held against the method's InvoiceLimits.
	SubmitInvoiced(ctx context.Context, p payment.Payment, callbackURL string, invoice Invoice) Answer
}

// SubmitTo asks p as an Invoicer, if it is one, whatever is around it, and as
// any other provider where there is no invoice to speak of.
func SubmitTo(ctx context.Context, p Provider, pay payment.Payment, callbackURL string, invoice Invoice) Answer {
	if len(invoice.Lines) > 0 || invoice.Customer != (Customer{}) {
		if invoicer, ok := within[Invoicer](p); ok {
			return invoicer.SubmitInvoiced(ctx, pay, callbackURL, invoice)
		}
	}
	return p.Submit(ctx, pay, callbackURL)
}
