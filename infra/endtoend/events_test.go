package endtoend

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// event reads a file under events/, with texts replaced in pairs.
func event(t *testing.T, file string, replace ...string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "events", filepath.FromSlash(file)+".json"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(source), replace[i]) {
			t.Fatalf("events/%s does not hold %q", file, replace[i])
		}
	}
	return []byte(strings.NewReplacer(replace...).Replace(string(source)))
}

// eventsOf names a function's files under events/.
func eventsOf(t *testing.T, function string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "events", function, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no events for %s: %v", function, err)
	}
	for i, file := range files {
		files[i] = function + "/" + strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// testEveryEvent hands each file under events/ that starts no payment to its
// function's binary and expects what events/README.md says.
func testEveryEvent(t *testing.T, w *world) {
	for _, c := range []struct {
		event string
		code  int
		error string
	}{
		{"request-to-pay/malformed-json", 400, "malformed_json"},
		{"request-to-pay/missing-key", 401, "unauthorized"},
		{"request-to-pay/unknown-key", 401, "unauthorized"},
		{"request-to-pay/wrong-content-type", 415, "unsupported_content_type"},
		{"request-to-pay/validation-failed", 422, "validation_failed"},
		{"status/missing-key", 401, "unauthorized"},
		{"status/unknown", 404, "not_found"},
		{"status/known", 404, "not_found"},
		{"health/unknown-route", 404, "route_not_found"},
		{"health/trailing-slash", 404, "route_not_found"},
		{"health/wrong-method", 405, "method_not_allowed"},
		{"payments/missing-key", 401, "unauthorized"},
		{"payments/list-bad-query", 422, "validation_failed"},
		{"payments/timeline", 404, "not_found"},
		{"payments/timeline-unknown", 404, "not_found"},
		{"payments/resend-callback", 404, "not_found"},
	} {
		function, _, _ := strings.Cut(c.event, "/")
		if got := w.api(t, function, event(t, c.event)); got.Code != c.code || got.Body["code"] != c.error {
			t.Errorf("%s: %d %s", c.event, got.Code, got.Text)
		}
	}

	if got := w.api(t, "status", event(t, "status/check-payer")); got.Code != 200 || got.Body["active"] != "unknown" || got.Body["askedProvider"] != "mtn" {
		t.Errorf("status/check-payer: %d %s", got.Code, got.Text)
	}

	// The payment that the callback events speak of: MTN does not know it,
	// so nothing they claim may be believed.
	now, tokenHash := ledger.Clock(time.Now()), sha256.Sum256([]byte("kq1VZr0mT0yWq2c8oE6r3Q"))
	open := ledger.Payment{
		Payment: payment.Payment{
			Reference: "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", ClientID: "cli_00000000000000000001", ExternalID: "EVENT-CALLBACK",
			Provider: "mtn", Amount: payment.Money{Minor: 15000, Currency: "EUR"}, Payer: "26876123456",
			Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, CreatedAt: now, UpdatedAt: now, Accepted: true,
		},
		CallbackTokenHash: hex.EncodeToString(tokenHash[:16]),
	}
	if _, err := w.ledger.Create(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	for _, function := range []string{"mtn-callback", "mom-factura-webhook"} {
		for _, name := range eventsOf(t, function) {
			if got := w.api(t, function, event(t, name)); got.Code != 200 || got.Text != `{"received":true}` {
				t.Errorf("%s: %d %s", name, got.Code, got.Text)
			}
		}
	}
	for _, name := range eventsOf(t, "momentpay-webhook") {
		if got := w.api(t, "momentpay-webhook", event(t, name)); got.Code != 401 || got.Body["code"] != "bad_signature" {
			t.Errorf("%s: %d %s", name, got.Code, got.Text)
		}
	}
	if p := w.story(t, open.Reference).Payment; !p.Open() {
		t.Errorf("hand-made callbacks ended a payment: %s", p.Status)
	}

	var batch events.SQSEventResponse
	if err := w.processes["forwarder"].call(t.Context(), event(t, "forwarder/batch"), &batch); err != nil || len(batch.BatchItemFailures) > 0 {
		t.Errorf("forwarder/batch: %v, %v", batch.BatchItemFailures, err)
	}
	if err := w.processes["forwarder"].call(t.Context(), event(t, "forwarder/unreadable-message"), &batch); err != nil {
		t.Errorf("forwarder/unreadable-message: %v", err)
	}
	if err := w.processes["reconciler"].call(t.Context(), event(t, "reconciler/schedule"), nil); err != nil {
		t.Errorf("reconciler/schedule: %v", err)
	}
}
