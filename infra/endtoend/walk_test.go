package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

// TestDeployedShape walks payments through the deployed functions, one step
// after another, to the first that fails.
func TestDeployedShape(t *testing.T) {
	w := newWorld(t)
	var paid []string
	for _, step := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"health", testHealth},
		{"events", testEveryEvent},
		{"request to pay", func(t *testing.T, w *world) { paid = testRequestToPay(t, w) }},
		{"status", func(t *testing.T, w *world) { testStatus(t, w, paid) }},
		{"delivery", func(t *testing.T, w *world) { testDelivery(t, w, paid) }},
		{"through the front", testThroughTheFront},
		{"failed message comes again", testFailedMessage},
		{"loopback is refused", testLoopbackRefused},
		{"reconciliation", testReconciliation},
		{"lost doorbell", testLostDoorbell},
		{"failed payment", testFailedPayment},
		{"held delivery", testHeldDelivery},
		{"Mom Factura", testMomFactura},
		{"MomentPay", testMomentPay},
		{"payments", func(t *testing.T, w *world) { testPayments(t, w, paid) }},
		{"refunds", func(t *testing.T, w *world) { testRefund(t, w, paid[0]) }},
		{"retention", func(t *testing.T, w *world) { testRetention(t, w, paid[0]) }},
		{"policies", func(t *testing.T, w *world) { checkPolicies(t, w.stack, w.recorder) }},
		{"refusals", func(t *testing.T, w *world) { checkRefusals(t, w.stack) }},
		{"provider not enabled", testNotEnabled},
		{"output", testOutput},
		{"refused starts", testRefusedStarts},
	} {
		if ok := t.Run(step.name, func(t *testing.T) { step.test(t, w) }); !ok {
			// Each goes on from the one before, and would wait in vain for
			// what that one has left undone.
			t.Fatal("the walk ends here")
		}
	}
	w.store.verify(t)
}

func testHealth(t *testing.T, w *world) {
	for name, p := range w.processes {
		if ready := p.readyAfter(); ready > 0 {
			t.Logf("%-19s asked for work %d ms after its start", name, ready.Milliseconds())
		}
	}
	got := w.api(t, "health", event(t, "health/get"))
	if got.Code != 200 || got.Body["table"] != "ok" || got.Body["queue"] != "ok" || got.Body["reconciler"] != "not_yet" || got.Body["version"] != "e2e" {
		t.Errorf("%d %s", got.Code, got.Text)
	}
	w.reconcile(t)
	if got := w.api(t, "health", event(t, "health/get")); got.Code != 200 || got.Body["reconciler"] != "ok" {
		t.Errorf("after a run of the reconciler: %d %s", got.Code, got.Text)
	}
}

// testRequestToPay starts the payments of the events and waits until MTN has
// called back about each.
func testRequestToPay(t *testing.T, w *world) (references []string) {
	for _, name := range []string{"accepted", "accepted-base64-body", "accepted-idempotency-key"} {
		got := w.api(t, "request-to-pay", event(t, "request-to-pay/"+name))
		if got.Code != 202 || got.Body["status"] != "PENDING" || got.reference() == "" {
			t.Fatalf("%s: %d %s", name, got.Code, got.Text)
		}
		references = append(references, got.reference())
	}
	again := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted-idempotency-key"))
	if again.Code != 202 || again.reference() != references[2] || again.Headers["idempotent-replayed"] != "true" {
		t.Errorf("a repeat under the same key: %d %s %v", again.Code, again.Text, again.Headers)
	}
	taken := w.api(t, "request-to-pay", event(t, "request-to-pay/accepted"))
	if taken.Code != 409 || taken.reference() != references[0] {
		t.Errorf("the same external id: %d %s", taken.Code, taken.Text)
	}
	w.awaitCallbacks(t, references...)
	for _, reference := range references {
		if entry, _ := w.sandbox.Payment(reference); entry.Asks != 1 || entry.Charges != 1 {
			t.Errorf("MTN was asked %d times about %s and charged %d times", entry.Asks, reference, entry.Charges)
		}
	}
	return references
}

func testStatus(t *testing.T, w *world, references []string) {
	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	for _, reference := range references {
		got := w.api(t, "status", event(t, "status/known", known, reference))
		if got.Code != 200 || got.Body["status"] != "SUCCESSFUL" || got.Body["amount"] != 150.0 || got.Body["financialTxId"] == nil || got.Body["callbackForwarded"] != false {
			t.Errorf("%d %s", got.Code, got.Text)
		}
	}
	if got := w.api(t, "status", event(t, "status/known", known, references[0], appKey, otherKey)); got.Code != 403 {
		t.Errorf("another app's payment: %d %s", got.Code, got.Text)
	}
}

// testThroughTheFront does the same over HTTP, as an app would.
func testThroughTheFront(t *testing.T, w *world) {
	body := `{"amount":"12.50","externalId":"FRONT-1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`
	code, text := w.http(t, "POST", "/request-to-pay", body)
	var accepted struct{ ReferenceID string }
	if err := json.Unmarshal([]byte(text), &accepted); err != nil || code != 202 {
		t.Fatalf("%d %s", code, text)
	}
	w.awaitCallbacks(t, accepted.ReferenceID)
	if code, text := w.http(t, "GET", "/status/"+accepted.ReferenceID, ""); code != 200 || !strings.Contains(text, `"status":"SUCCESSFUL"`) {
		t.Errorf("%d %s", code, text)
	}
	for request, want := range map[string]string{
		"GET /nothing": "404 route_not_found", "GET /payments/": "404 route_not_found",
		"GET /request-to-pay": "405 method_not_allowed", "OPTIONS /request-to-pay": "405 method_not_allowed",
	} {
		method, path, _ := strings.Cut(request, " ")
		code, text := w.http(t, method, path, "")
		var body struct{ Error, Code string }
		if err := json.Unmarshal([]byte(text), &body); err != nil || fmt.Sprint(code, " ", body.Code) != want || body.Error == "" {
			t.Errorf("%s: %d %s", request, code, text)
		}
	}
	if code, text := w.http(t, "HEAD", "/health", ""); code != 200 || text != "" {
		t.Errorf("HEAD /health: %d %q", code, text)
	}
	w.forwardUntil(t, accepted.ReferenceID)
	w.checkDelivered(t, accepted.ReferenceID, payment.EventSuccessful)
}

func (w *world) http(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.front+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", appKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
