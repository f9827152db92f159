package endtoend

import (
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// testRefund gives a payment back through the function that may pay out, and
// has the reconciler find its end.
func testRefund(t *testing.T, w *world, reference string) {
	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	asked := w.api(t, "refunds", event(t, "refunds/not-paid", known, reference))
	if asked.Code != 202 || asked.Body["status"] != string(refund.Submitted) {
		t.Fatalf("%d %s", asked.Code, asked.Text)
	}
	id, _ := asked.Body["refundId"].(string)
	stored, err := w.ledger.Refund(t.Context(), reference, id)
	if err != nil {
		t.Fatal(err)
	}
	due := stored.Refund
	due.NextCheckAt = due.AskedAt
	if _, err := w.ledger.ClaimRefund(t.Context(), stored, due); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * patience)
	for stored.Open() && time.Now().Before(deadline) {
		w.reconcile(t)
		if stored, err = w.ledger.Refund(t.Context(), reference, id); err != nil {
			t.Fatal(err)
		}
	}
	if stored.Status != refund.Successful || stored.EndedBy != payment.FromStatus {
		t.Fatalf("%s by %s", stored.Status, stored.EndedBy)
	}
	listed := w.api(t, "payments", event(t, "payments/refunds", known, reference))
	if all, _ := listed.Body["refunds"].([]any); listed.Code != 200 || len(all) != 1 {
		t.Errorf("%d %s", listed.Code, listed.Text)
	}
	w.forwardUntil(t, reference)
}
