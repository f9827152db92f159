package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// orderInvoiced is orderMCX with the lines and the customer of its invoice.
func orderInvoiced(products, customer string) string {
	return strings.TrimSuffix(orderMCX, "}") + `,"products":` + products + `,"customer":` + customer + `}`
}

const (
	rice  = `[{"name":"Arroz 5 kg","price":"4500.50","quantity":3,"taxPercent":5},{"name":"Entrega","price":1498.50,"quantity":1}]`
	buyer = `{"name":"Ana Silva","taxId":"004512345LA041","phone":"+244 923 456 789"}`
)

// Lines and customer reach the provider with the request, belong to the request
// that an Idempotency-Key names, and are stored with the exchanges alone.
func TestRequestToPayInvoice(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(orderInvoiced(rice, buyer), "idempotency-key", "k"), 202, "")
		const want = `"products":[{"productName":"Arroz 5 kg","productPrice":4500.50,"productQuantity":3,"iva":5},{"productName":"Entrega","productPrice":1498.50,"productQuantity":1}],` +
			`"customer":{"name":"Ana Silva","nif":"004512345LA041","phone":"244923456789"}`
		sent := ""
		for _, record := range w.Trail(a.Reference()) {
			if record.Direction == ledger.OutboundToProvider {
				sent += record.RequestBody
			}
		}
		if !strings.Contains(sent, want) {
			t.Errorf("sent %s", sent)
		}
		for _, record := range w.Records() {
			if record.Space == table.Main && strings.Contains(fmt.Sprint(record), "Ana Silva") {
				t.Errorf("stored: %v", record)
			}
		}
		if again := w.Pay(orderInvoiced(rice, buyer), "idempotency-key", "k"); again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("replayed: %s", again.Body)
		}
		is(t, w.Pay(orderMCX, "idempotency-key", "k"), 422, "idempotency_key_reused")
		is(t, w.Pay(orderInvoiced(strings.Replace(rice, `"taxPercent":5`, `"taxPercent":7`, 1), buyer), "idempotency-key", "k"), 422, "idempotency_key_reused")
	})
}

// What the provider would refuse is refused before anything is stored.
func TestRequestToPayInvoiceFaults(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(orderInvoiced(strings.Replace(rice, "4500.50", "4500.51", 1), `{"name":"Ana Silva"}`)), 422, "validation_failed")
		for _, want := range []string{
			`{"field":"products","message":"must add up to the amount: price times quantity of all lines is 15000.03, and amount is 15000.00"}`,
			`{"field":"customer.taxId","message":"is required"}`,
		} {
			if !strings.Contains(a.Body, want) {
				t.Errorf("%s lacks %s", a.Body, want)
			}
		}
		a = is(t, w.Pay(orderInvoiced(`[1,{"name":true,"price":[],"quantity":"1","total":5}]`, `"Ana"`)), 422, "validation_failed")
		for _, want := range []string{`"products.0"`, `"products.1.name"`, `"products.1.price"`, `"products.1.quantity"`, `"products.1.total"`, `"customer"`} {
			if !strings.Contains(a.Body, `"field":`+want) {
				t.Errorf("%s does not name %s", a.Body, want)
			}
		}
		is(t, w.Pay(strings.TrimSuffix(testbed.Order("ORDER-1", good), "}")+`,"products":`+rice+`}`), 422, "validation_failed")
		nothingCreated(t, w)
	})
}

// A MomentPay link ends when the app says; a repeat is the same request.
func TestRequestToPayExpiresAt(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		at := time.Now().Add(20 * time.Minute).UTC().Truncate(time.Second).Format(time.RFC3339)
		order := func(at string) string {
			return `{"provider":"momentpay","amount":"150.51","externalId":"ORDER-1","expiresAt":"` + at + `"}`
		}
		a := is(t, w.Pay(order(at), "idempotency-key", "k"), 202, "")
		if told, _ := a.Fields["instructions"].(map[string]any); told == nil || !strings.HasPrefix(told["expiresAt"].(string), strings.TrimSuffix(at, "Z")) {
			t.Errorf("%s; want %s", a.Body, at)
		}
		if again := w.Pay(order(at), "idempotency-key", "k"); again.Body != a.Body {
			t.Errorf("replayed: %s", again.Body)
		}
		is(t, w.Pay(order(time.Now().Add(time.Hour).UTC().Format(time.RFC3339)), "idempotency-key", "k"), 422, "idempotency_key_reused")
		is(t, w.Pay(order(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)), "idempotency-key", "k2"), 422, "validation_failed")
		w.Pass(3 * time.Hour)
		// A repeat that comes late is the same payment, and not a fault.
		if late := w.Pay(order(at), "idempotency-key", "k"); late.StatusCode != 202 || late.Reference() != a.Reference() {
			t.Errorf("repeated late: %d %s", late.StatusCode, late.Body)
		}
		is(t, w.Pay(order(at), "idempotency-key", "never sent"), 422, "validation_failed")
		is(t, w.Pay(order(at)), 422, "validation_failed")
		if s := w.Status(a.Reference()); s != "CANCELLED" && s != "TIMEOUT" && s != "FAILED" {
			t.Errorf("three hours later it is %s", s)
		}
	})
}
