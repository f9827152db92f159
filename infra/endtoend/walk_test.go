package endtoend

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

// TestDeployedShape walks payments through the deployed functions, one step
// after another.
func TestDeployedShape(t *testing.T) {
	w := newWorld(t)
	if ok := t.Run("health", func(t *testing.T) { testHealth(t, w) }); !ok {
		t.Fatal("the system is not up")
	}
	for name, p := range w.processes {
		if p.ready > 0 {
			t.Logf("%-19s asked for work %d ms after its start", name, p.ready.Milliseconds())
		}
	}
	t.Run("events", func(t *testing.T) { testEveryEvent(t, w) })
	var paid []string
	if ok := t.Run("request to pay", func(t *testing.T) { paid = testRequestToPay(t, w) }); !ok {
		t.Fatal("nothing to go on with")
	}
	t.Run("status", func(t *testing.T) { testStatus(t, w, paid) })
	t.Run("delivery", func(t *testing.T) { testDelivery(t, w, paid) })
	t.Run("through the front", func(t *testing.T) { testThroughTheFront(t, w) })
	t.Run("failed message comes again", func(t *testing.T) { testFailedMessage(t, w) })
	t.Run("loopback is refused", func(t *testing.T) { testLoopbackRefused(t, w) })
	t.Run("reconciliation", func(t *testing.T) { testReconciliation(t, w) })
	t.Run("lost doorbell", func(t *testing.T) { testLostDoorbell(t, w) })

	t.Run("failed payment", func(t *testing.T) { testFailedPayment(t, w) })
	t.Run("held delivery", func(t *testing.T) { testHeldDelivery(t, w) })
	t.Run("Mom Factura", func(t *testing.T) { testMomFactura(t, w) })
	t.Run("MomentPay", func(t *testing.T) { testMomentPay(t, w) })
	t.Run("payments", func(t *testing.T) { testPayments(t, w, paid) })

	t.Run("policies", func(t *testing.T) { checkPolicies(t, w.stack, w.recorder) })
	t.Run("provider not enabled", func(t *testing.T) { testNotEnabled(t, w) })
	t.Run("output", func(t *testing.T) { testOutput(t, w) })
	w.store.verify(t)

	t.Run("refused starts", func(t *testing.T) { testRefusedStarts(t, w) })
}

func testHealth(t *testing.T, w *world) {
	got := w.api(t, "status", event(t, "status/health"))
	if got.Code != 200 || got.Body["table"] != "ok" || got.Body["queue"] != "ok" || got.Body["version"] != "e2e" {
		t.Errorf("%d %s", got.Code, got.Text)
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
	if code, text := w.http(t, "GET", "/nothing", ""); code != 404 || text != `{"message":"Not Found"}` {
		t.Errorf("%d %s", code, text)
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
