package endtoend

import (
	"testing"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
)

// factura is a request to pay through Mom Factura. The amount's cents pick
// what the stand-in does: .10 waits for the test to say.
func factura(order, method, amount string) map[string]any {
	return map[string]any{
		"provider": "mom-factura", "method": method, "amount": amount, "externalId": order,
		"payer": map[string]any{"partyIdType": "MSISDN", "partyId": "244923456789"},
	}
}

func testMomFactura(t *testing.T, w *world) {
	t.Run("reference, paid", func(t *testing.T) { testReferencePaid(t, w) })
	t.Run("reference, webhook lost", func(t *testing.T) { testReferenceWebhookLost(t, w) })
	t.Run("reference, failed", func(t *testing.T) { testReferenceFailed(t, w) })
	t.Run("mcx", func(t *testing.T) { testMCX(t, w) })
}

// reference starts a payment by bank reference and returns what Mom Factura
// knows it by.
func (w *world) reference(t *testing.T, order, key string) (reference, id string) {
	t.Helper()
	got := w.ask(t, key, factura(order, "reference", "1500.10"))
	told, _ := got.Body["instructions"].(map[string]any)
	id, _ = told["referenceNumber"].(string)
	if got.Code != 202 || got.Body["status"] != "PENDING" || id == "" || told["entity"] == "" {
		t.Fatalf("%d %s", got.Code, got.Text)
	}
	return got.reference(), id
}

// pays has a payer act, and waits until the webhook about it is answered if
// there is one.
func (w *world) pays(t *testing.T, id, status string, webhook bool) {
	t.Helper()
	if err := w.factura.SetOutcome(id, status, "", webhook); err != nil {
		t.Fatal(err)
	}
	if !webhook {
		return
	}
	w.until(t, "the webhook's answer", func() bool {
		e, _ := w.factura.Payment(id)
		return len(e.Callbacks) > 0
	})
	if e, _ := w.factura.Payment(id); e.Callbacks[0].Code != 200 {
		t.Fatalf("webhooks %+v", e.Callbacks)
	}
}

// testReferencePaid: the webhook about the payment leads to a question, and
// so to the first event. The one about the invoice comes within the 30
// seconds that Mom Factura wants between two questions, so that the second
// event has to wait for the schedule.
func testReferencePaid(t *testing.T, w *world) {
	reference, id := w.reference(t, "FACTURA-PAID", facturaAppKey)
	w.pays(t, id, facturastand.Paid, true)
	p := w.story(t, reference).Payment
	if p.Status != payment.Successful || p.EndedBy != payment.FromStatus || p.InvoiceURL != "" {
		t.Fatalf("%s by %s, invoice %q", p.Status, p.EndedBy, p.InvoiceURL)
	}
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)

	w.facturaClock.forward(invoiceTakes)
	asked, _ := w.factura.Payment(id)
	sent, err := w.factura.SendCallback(id, core.Notice{Kind: facturastand.EventInvoice})
	if err != nil || sent.Code != 200 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if e, _ := w.factura.Payment(id); e.Polls != asked.Polls || w.story(t, reference).Payment.InvoiceURL != "" {
		t.Errorf("asked %d times, then %d", asked.Polls, e.Polls)
	}
	w.bringForward(t, reference)
	w.reconcile(t)
	e, _ := w.factura.Payment(id)
	if p := w.story(t, reference).Payment; p.InvoiceURL != e.InvoiceURL || p.InvoiceURL == "" || p.Sequence != 2 || e.Charges != 1 {
		t.Fatalf("invoice %q, sequence %d; Mom Factura's books: %+v", p.InvoiceURL, p.Sequence, e)
	}
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful, payment.EventInvoice)

	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	timeline := w.api(t, "payments", event(t, "payments/timeline", known, reference, appKey, facturaAppKey))
	happened, _ := timeline.Body["events"].([]any)
	if timeline.Code != 200 || len(happened) != 2 || timeline.Body["invoiceUrl"] != e.InvoiceURL {
		t.Errorf("%d %s", timeline.Code, timeline.Text)
	}
}

// testReferenceWebhookLost: the schedule finds the ending.
func testReferenceWebhookLost(t *testing.T, w *world) {
	reference, id := w.reference(t, "FACTURA-LOST", facturaAppKey)
	w.pays(t, id, facturastand.Paid, false)
	w.bringForward(t, reference)
	w.reconcile(t)
	if p := w.story(t, reference).Payment; p.Status != payment.Successful || p.EndedBy != payment.FromStatus {
		t.Fatalf("%s by %s", p.Status, p.EndedBy)
	}
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)
	if e, _ := w.factura.Payment(id); len(e.Callbacks) != 0 {
		t.Errorf("webhooks %+v", e.Callbacks)
	}
}

func testReferenceFailed(t *testing.T, w *world) {
	reference, id := w.reference(t, "FACTURA-FAILED", facturaAppKey)
	w.pays(t, id, facturastand.Failed, true)
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventFailed)
}

// testMCX: the answer to the request is the ending. One that the payer's bank
// declined leaves its order free for another try.
func testMCX(t *testing.T, w *world) {
	declined := w.ask(t, appKey, factura("FACTURA-MCX", "mcx", "1500.14"))
	if declined.Code != 202 || declined.Body["status"] != "FAILED" {
		t.Fatalf("%d %s", declined.Code, declined.Text)
	}
	w.forwardUntil(t, declined.reference())
	w.checkDelivered(t, declined.reference(), payment.EventFailed)

	order := factura("FACTURA-MCX", "mcx", "1500.00")
	order["products"] = []any{map[string]any{"name": "Arroz 5 kg", "price": "500.00", "quantity": 2, "taxPercent": 5}, map[string]any{"name": "Entrega", "price": 500, "quantity": 1}}
	order["customer"] = map[string]any{"name": "Ana Silva", "taxId": "004512345LA041"}
	paid := w.ask(t, appKey, order)
	if paid.Code != 202 || paid.Body["status"] != "SUCCESSFUL" {
		t.Fatalf("%d %s", paid.Code, paid.Text)
	}
	if p := w.story(t, paid.reference()).Payment; p.EndedBy != payment.FromSubmit || p.InvoiceURL == "" {
		t.Errorf("%+v", p)
	}
	w.forwardUntil(t, paid.reference())
	w.forwardUntil(t, paid.reference())
	w.checkDelivered(t, paid.reference(), payment.EventSuccessful, payment.EventInvoice)
}
