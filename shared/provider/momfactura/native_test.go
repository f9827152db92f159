package momfactura_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/providertest"
)

var update = flag.Bool("update", false, "write testdata/native anew")

// paid is one payment with all that can be known of it.
func paid() payment.Payment {
	return payment.Payment{
		Reference: "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", ExternalID: "ORDER-98765", Provider: "mom-factura", Method: "reference",
		Amount: payment.Money{Minor: 1500050, Currency: "AOA"}, Status: payment.Successful,
		Particulars: payment.Particulars{
			IDs:        map[string]string{"operationId": "op-123", "transactionId": "abc123", "referenceNumber": "123456789", "ekwanzaTransactionId": "EKZ456"},
			InvoiceURL: "https://invoice-momenu.toquemedia.net/invoices/abc123.pdf?a=1&b=2",
		},
	}
}

var events = []payment.Event{payment.EventSuccessful, payment.EventInvoice, payment.EventCancelled, payment.EventTimeout, payment.EventFailed}

// TestNativeBodies: what is written where no webhook came.
func TestNativeBodies(t *testing.T) {
	t.Parallel()
	for _, e := range events {
		got := parser(t).Native(paid(), e, nil)
		file := filepath.Join("testdata", "native", string(e)+".json")
		if *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSuffix(string(want), "\n"), string(got)); diff != "" {
			t.Errorf("%s (-golden +got)\n%s", e, diff)
		}
	}
	if got := parser(t).Native(paid(), "payment.imagined", nil); got != nil {
		t.Errorf("an event without a word: %s", got)
	}
}

// TestNativeNames: an app finds the payment by the provider's id if there is
// one, in the order of their likeness to the webhook's, else by our own.
func TestNativeNames(t *testing.T) {
	t.Parallel()
	ids := map[string]string{"merchantTransactionId": "m-1", "transactionId": "tx-1", "operationId": "op-1", "code": "EKZ1"}
	for _, name := range []string{"merchantTransactionId", "transactionId", "operationId", "code", ""} {
		pay := paid()
		pay.IDs = ids
		want := ids[name]
		if name == "" {
			want = pay.Reference
		}
		if got := string(parser(t).Native(pay, payment.EventSuccessful, nil)); !strings.Contains(got, `"merchantTransactionId":"`+want+`"`) {
			t.Errorf("without better: %s, want %s", got, want)
		}
		delete(ids, name)
	}
}

// TestNativePassesOn: a webhook goes on byte for byte only when it says just
// that of just this payment, as the contract's programs understand it.
func TestNativePassesOn(t *testing.T) {
	t.Parallel()
	invoice := paid().InvoiceURL
	for _, c := range []struct {
		name, raw string
		on        []payment.Event
	}{
		{"confirmed", `{"event": "payment.confirmed", "merchantTransactionId":"abc123","ekwanzaTransactionId":"EKZ456","operationStatus":"1","operationData":{}}`, []payment.Event{payment.EventSuccessful}},
		{"an id of nobody's beside its own", `{"event":"payment.confirmed","merchantTransactionId":"unknown","ekwanzaTransactionId":"EKZ456","operationStatus":"1"}`, nil},
		{"invoice", `{"event":"invoice.created","merchantTransactionId":"abc123","operationStatus":"1","invoiceUrl":"` + invoice + `"}`, []payment.Event{payment.EventInvoice}},
		{"cancelled", `{"merchantTransactionId":"abc123","ekwanzaTransactionId":"EKZ456","operationStatus":"3"}`, []payment.Event{payment.EventCancelled, payment.EventTimeout}},
		{"failed", `{"merchantTransactionId":"abc123","operationStatus":"4"}`, []payment.Event{payment.EventFailed}},
		{"another invoice", `{"event":"invoice.created","merchantTransactionId":"abc123","operationStatus":"1","invoiceUrl":"https://evil.example/1"}`, nil},
		{"confirmed with an invoice", `{"event":"payment.confirmed","merchantTransactionId":"abc123","operationStatus":"1","invoiceUrl":"` + invoice + `"}`, nil},
		{"invoice without one", `{"event":"invoice.created","merchantTransactionId":"abc123","operationStatus":"1"}`, nil},
		{"another payment", `{"event":"payment.confirmed","merchantTransactionId":"other","operationStatus":"1"}`, nil},
		{"another payment too", `{"event":"payment.confirmed","merchantTransactionId":"abc123","operationId":"op-9","operationStatus":"1"}`, nil},
		{"number for status", `{"merchantTransactionId":"abc123","operationStatus":4}`, nil},
		{"number for id", `{"event":"payment.confirmed","merchantTransactionId":456,"ekwanzaTransactionId":"EKZ456","operationStatus":"1"}`, nil},
		{"paid without event", `{"merchantTransactionId":"abc123","operationStatus":"1"}`, nil},
		{"empty event", `{"event":"","merchantTransactionId":"abc123","operationStatus":"4"}`, nil},
		{"error", `{"merchantTransactionId":"abc123","operationStatus":"5"}`, nil},
		{"a key twice", `{"event":"payment.confirmed","event":"payment.confirmed","merchantTransactionId":"abc123","operationStatus":"1"}`, nil},
		{"garbage", `<html>`, nil},
	} {
		for _, e := range events {
			got := string(parser(t).Native(paid(), e, []byte(c.raw)))
			want := string(parser(t).Native(paid(), e, nil))
			for _, on := range c.on {
				if on == e {
					want = c.raw
				}
			}
			if got != want {
				t.Errorf("%s, as %s: %s", c.name, e, got)
			}
		}
	}
}

// A leaked token: another order's id, in another case and with a space, beside
// the id of a payment of one's own.
func TestNativeNamesNoOtherOrder(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"tx1 ", "TX1", "ABC123", " abc123", "abc123\u200b"} {
		raw := `{"event":"payment.confirmed","merchantTransactionId":"` + other + `","ekwanzaTransactionId":"EKZ456","operationStatus":"1","operationData":{}}`
		if got := string(parser(t).Native(paid(), payment.EventSuccessful, []byte(raw))); got == raw {
			t.Errorf("passed on: %s", got)
		}
	}
}

// FuzzNative: what is passed on says nothing beyond what is known.
func FuzzNative(f *testing.F) {
	for _, raw := range []string{
		`{"event":"payment.confirmed","merchantTransactionId":"abc123","ekwanzaTransactionId":"EKZ456","operationStatus":"1","operationData":{"amount":15000.50}}`,
		`{"event":"invoice.created","merchantTransactionId":"abc123","operationStatus":"1","invoiceUrl":"` + paid().InvoiceURL + `"}`,
		`{"merchantTransactionId":"abc123","operationStatus":"4","operationData":{"externalId":"ORDER-98765","currency":"AOA"}}`,
	} {
		f.Add([]byte(raw))
	}
	p := parser(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range events {
			if got := p.Native(paid(), e, raw); string(got) == string(raw) {
				providertest.CheckPassedOn(t, raw, paid(), "payment.confirmed", "invoice.created", "1", "3", "4")
			}
		}
	})
}

// What the token's holder can write beside the truth is not passed on under
// our signature.
func TestNativePassesOnNothingUnknown(t *testing.T) {
	t.Parallel()
	p := parser(t)
	pay := payment.Payment{
		Reference: "2f3373f3-5d70-43bc-9417-793dc1eb89c2", ExternalID: "ORDER-1", Status: payment.Successful,
		Amount:      payment.Money{Minor: 1500000, Currency: "AOA"},
		Particulars: payment.Particulars{IDs: map[string]string{"merchantTransactionId": "abc"}},
	}
	const begin = `{"event":"payment.confirmed","merchantTransactionId":"abc","operationStatus":"1"`
	for rest, passed := range map[string]bool{
		`}`:                      true,
		`,"operationData":{}}`:   true,
		`,"operationData":null}`: true,
		`,"operationData":{"amount":15000.0,"currency":"AOA","externalId":"ORDER-1"}}`: true,
		`,"operationData":{"amount":"15000"}}`:                                         false,
		`,"operationData":{"amount":1.5e4}}`:                                           false,
		`,"operationData":{"currency":"aoa"}}`:                                         false,
		`,"operationData":{"externalId":"ORDER-1","externalId":"ORDER-1"}}`:            false,
		`,"operationData":{"ExternalId":"ORDER-1"}}`:                                   false,
		`,"operationData":{"merchantIdentifier":"m"}}`:                                 false,
		`,"operationData":[{"externalId":"EXPENSIVE-2"}]}`:                             false,
		`,"ekwanzaTransactionId":"ABC "}`:                                              false,
		`,"ekwanzaTransactionId":77}`:                                                  false,
		`,"MerchantTransactionId":"abc"}`:                                              false,
		`,"payerNumber":"244900000000"}`:                                               false,
		`}` + " {}":                                                                    false,
		`,"operationData":{"amount":999999}}`:                                          false,
		`,"operationData":{"externalId":"EXPENSIVE-2"}}`:                               false,
		`,"operationData":{"referenceId":"11111111-1111-4111-8111-111111111111"}}`:     false,
		`,"operationData":"EXPENSIVE-2"}`:                                              false,
		`,"externalId":"EXPENSIVE-2"}`:                                                 false,
	} {
		raw := begin + rest
		if got := string(p.Native(pay, payment.EventSuccessful, []byte(raw))); (got == raw) != passed {
			t.Errorf("%s: passed on %v\n%s", raw, got == raw, got)
		}
	}
}
