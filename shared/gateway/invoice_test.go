package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// TestInvoiceFaults: what is wrong with products and customer is said of the
// field, all at once, and their sum is held against the amount to the centimo.
func TestInvoiceFaults(t *testing.T) {
	t.Parallel()
	caps := provider.Capabilities{Name: "mom-factura", Currency: "AOA", Plan: payment.PlanAngola}
	method := provider.Method{Name: "mcx", Invoice: provider.InvoiceLimits{MaxLines: 3, MaxTaxPercent: 14}}
	line := func(price, quantity, tax string) Product { return Product{"Arroz", price, quantity, tax} }
	for _, c := range []struct {
		name     string
		products []Product
		customer *Customer
		want     string // the faults' fields and the beginning of what they say; empty: none
	}{
		{"none", nil, nil, ""},
		{"one", []Product{line("15000.00", "1", "")}, nil, ""},
		{"to the centimo", []Product{line("4500.05", "3", "0"), line("1499.85", "1", "14")}, nil, ""},
		{"one centimo more", []Product{line("4500.05", "3", "0"), line("1499.86", "1", "14")}, nil, "products: must add up to the amount: price times quantity of all lines is 15000.01, and amount is 15000.00"},
		{"one centimo less", []Product{line("14999.99", "1", "")}, nil, "products: must add up"},
		{"an overflow", []Product{line("9999999999999.99", "1000000", ""), line("9999999999999.99", "1000000", "")}, nil, "products: must add up to the amount: price times quantity of all lines is far more"},
		{"no lines", []Product{}, nil, "products: must have 1 to 3 lines"},
		{"too many", make([]Product, 4), nil, "products: must have 1 to 3 lines"},
		{"everything", []Product{{"", "", "", "15"}}, nil, "products.0.name: is required; products.0.price: is required; products.0.quantity: is required; products.0.taxPercent: must be a whole number from 0 to 14"},
		{"half a quantity", []Product{line("30000", "0.5", "")}, nil, "products.0.quantity: must be a whole number from 1 to 1000000"},
		{"no quantity", []Product{line("15000", "0", "")}, nil, "products.0.quantity: must be"},
		{"a negative price", []Product{line("20000", "1", ""), line("-5000", "1", "")}, nil, "products.1.price: "},
		{"a fraction of a tax", []Product{line("15000", "1", "6.5")}, nil, "products.0.taxPercent: must be"},
		{"a control character", []Product{{"a\nb", "15000", "1", ""}}, nil, "products.0.name: must not"},
		{"a long name", []Product{{strings.Repeat("é", 101), "15000", "1", ""}}, nil, "products.0.name: must be at most 100 characters"},
		{"customer", nil, &Customer{"Ana Silva", "004512345LA041", ""}, ""},
		{"customer without NIF", nil, &Customer{"Ana Silva", "", ""}, "customer.taxId: is required"},
		{"NIF without customer", nil, &Customer{"", "999999999", ""}, "customer.name: is required"},
		{"an odd NIF", nil, &Customer{"Ana", "9 99", ""}, "customer.taxId: must have digits"},
	} {
		invoice, faults := invoiceOf(Request{Products: c.products, Customer: c.customer}, payment.Money{Minor: 1500000, Currency: "AOA"}, caps, method)
		var said []string
		for _, f := range faults {
			said = append(said, f.Field+": "+f.Message)
		}
		got := strings.Join(said, "; ")
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q; want %q", c.name, got, c.want)
		}
		if len(faults) == 0 && len(invoice.Lines) != len(c.products) {
			t.Errorf("%s: %d lines", c.name, len(invoice.Lines))
		}
	}
	if _, faults := invoiceOf(Request{Products: []Product{line("1", "1", "")}, Customer: &Customer{}}, payment.Money{}, provider.Capabilities{Name: "mtn"}, provider.Method{}); fmt.Sprint(faults) !=
		"[{products is not taken by provider mtn; leave it out} {customer is not taken by provider mtn; leave it out}]" {
		t.Errorf("%v", faults)
	}
}

func TestExpiryOf(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	link := provider.Method{Name: "link", LongestExpiry: 30 * 24 * time.Hour}
	for text, want := range map[string]string{
		"":                              "",
		"2026-11-30T12:01:00Z":          "",
		"2026-11-30T14:01:00.999+02:00": "",
		"2026-12-30T12:00:00Z":          "",
		"2026-11-30T12:00:59Z":          "must be at least a minute",
		"2026-11-30T11:00:00Z":          "must be at least a minute",
		"2026-12-30T12:00:01Z":          "must be at least a minute and at most 30 days ahead",
		"2026-12-01":                    "must be a time such as",
		"tomorrow":                      "must be a time such as",
	} {
		at, m := expiryOf(text, now, provider.Capabilities{Name: "momentpay"}, link)
		if want == "" && m != "" || !strings.HasPrefix(m, want) {
			t.Errorf("%q: %q; want %q", text, m, want)
		}
		if m == "" && text != "" && (at.Location() != time.UTC || at.Nanosecond() != 0) {
			t.Errorf("%q: %v", text, at)
		}
	}
	if _, m := expiryOf("2026-12-01T12:00:00Z", now, provider.Capabilities{Name: "momentpay"}, provider.Method{Name: "push"}); m != "is not taken by provider momentpay push; leave it out" {
		t.Error(m)
	}
}
