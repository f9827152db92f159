package endtoend

import (
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// testRefund has MTN refuse a refund, then gives a payment back through the
// function that may pay out, and has the reconciler find its end.
func testRefund(t *testing.T, w *world, reference string) {
	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	if err := w.sandbox.AddRule(core.Rule{Route: mtnstand.RouteRefund, Fault: core.Error401Before, Times: 2}); err != nil {
		t.Fatal(err)
	}
	refused := w.api(t, "refunds", event(t, "refunds/not-paid", known, reference, "3f1d7a52-8b0e-4f6c-9a57-0c2f8d1e7b11", "9d0e4c1a-5f63-4b0e-8f0e-6a2d1c7b3e55"))
	if refused.Code != 202 || refused.Body["status"] != string(refund.Failed) {
		t.Fatalf("refused by MTN: %d %s", refused.Code, refused.Text)
	}
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
	if all, _ := listed.Body["refunds"].([]any); listed.Code != 200 || len(all) != 2 {
		t.Errorf("%d %s", listed.Code, listed.Text)
	}
	w.forwardUntil(t, reference)
}
