package momfactura_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
)

func kwanza(minor int64) payment.Money { return payment.Money{Minor: minor, Currency: "AOA"} }

var twoLines = []provider.Line{
	{Name: "Arroz 5 kg", Price: kwanza(450050), Quantity: 3, TaxPercent: new(5)},
	{Name: "Entrega", Price: kwanza(149850), Quantity: 1},
}

// TestInvoiceLines holds what is sent of an invoice's lines and customer, and the one
// line of the setting. E-kwanza takes neither.
func TestInvoiceLines(t *testing.T) {
	t.Parallel()
	const mcx, reference = `{"paymentInfo":{"amount":15000.00,"phoneNumber":"244923456789"}`, `{"paymentInfo":{"amount":15000.00}`
	const lines = `,"products":[{"productName":"Arroz 5 kg","productPrice":4500.50,"productQuantity":3,"iva":5},` +
		`{"productName":"Entrega","productPrice":1498.50,"productQuantity":1}]`
	customer := provider.Customer{Name: "Ana Silva", TaxID: "004512345LA041", Phone: "244923456789"}
	const named = `,"customer":{"name":"Ana Silva","nif":"004512345LA041","phone":"244923456789"}`
	const end = `,"instantWithdraw":true}`
	setting := func(iva *int) func(*momfactura.Config) {
		return func(c *momfactura.Config) { c.DefaultLine, c.DefaultIVA = "Serviços", iva }
	}
	for _, c := range []struct {
		name, method string
		invoice      provider.Invoice
		change       func(*momfactura.Config)
		body         string
	}{
		{"lines and customer", "mcx", provider.Invoice{Lines: twoLines, Customer: customer}, nil, mcx + lines + named + end},
		{"lines", "reference", provider.Invoice{Lines: twoLines}, nil, reference + lines + end},
		{"the lines given, not the setting's", "reference", provider.Invoice{Lines: twoLines}, setting(nil), reference + lines + end},
		{"customer", "reference", provider.Invoice{Customer: customer}, nil, reference + named + end},
		{"the setting's line", "reference", provider.Invoice{}, setting(nil),
			reference + `,"products":[{"productName":"Serviços","productPrice":15000.00,"productQuantity":1}]` + end},
		{"the setting's line, without tax", "mcx", provider.Invoice{Customer: customer}, setting(new(0)),
			mcx + `,"products":[{"productName":"Serviços","productPrice":15000.00,"productQuantity":1,"iva":0}]` + named + end},
		{"ekwanza", "ekwanza", provider.Invoice{Lines: twoLines, Customer: customer}, setting(nil), mcx + end},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var body []byte
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { body, _ = io.ReadAll(r.Body) }))
			defer server.Close()
			cfg := momfactura.Config{BaseURL: server.URL, APIKey: apiKey, TestMode: true}
			if c.change != nil {
				c.change(&cfg)
			}
			p := newPayment(c.method)
			p.Amount = kwanza(1500000)
			adapter(t, cfg).SubmitInvoiced(t.Context(), p, "", c.invoice)
			if string(body) != c.body {
				t.Errorf("sent %s\nwant %s", body, c.body)
			}
		})
	}
}

// TestDefaultLineWherePaymentsNeedProducts: the setting makes payments possible
// at a provider that refuses one without products, which is not confirmed.
func TestDefaultLineWherePaymentsNeedProducts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, facturastand.Dialect{ProductsRequired: true}, time.Second)
	p := newPayment("reference")
	if a := w.Submit(t.Context(), p, ""); a.Evidence.Code != "MISSING_PRODUCTS" {
		t.Fatalf("without: %+v", a.Evidence)
	}
	with := adapter(t, momfactura.Config{BaseURL: w.server.URL, APIKey: apiKey, TestMode: true, DefaultLine: "Serviços"})
	if a := with.Submit(t.Context(), newPayment("reference"), ""); a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("with the setting: %+v", a.Evidence)
	}
	wrong := provider.Invoice{Lines: []provider.Line{{Name: "x", Price: kwanza(1), Quantity: 1}}}
	if a := w.SubmitInvoiced(t.Context(), newPayment("reference"), "", wrong); a.Evidence.Verdict != payment.SaysRefused || a.Evidence.Code != "AMOUNT_MISMATCH" {
		t.Errorf("lines of another sum: %+v", a.Evidence)
	}
}
