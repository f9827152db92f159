package endtoend

import (
	"fmt"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// testReconciliation: a payment whose callback is lost ends by the schedule,
// once.
func testReconciliation(t *testing.T, w *world) {
	reference := w.pay(t, "CALLBACK-LOST", mtnstand.Payer("callback_lost"), appKey)
	w.until(t, "MTN to end it", func() bool {
		entry, _ := w.sandbox.Payment(reference)
		return entry.Ended
	})
	w.bringForward(t, reference)
	w.reconcile(t)
	if p := w.story(t, reference).Payment; p.Status != payment.Successful || p.EndedBy != payment.FromStatus || p.Sequence != 1 {
		t.Fatalf("%s by %s, sequence %d", p.Status, p.EndedBy, p.Sequence)
	}
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventSuccessful)

	before := w.story(t, reference)
	asked, _ := w.sandbox.Payment(reference)
	w.reconcile(t)
	after := w.story(t, reference)
	again, _ := w.sandbox.Payment(reference)
	if fmt.Sprint(after) != fmt.Sprint(before) || again.Polls != asked.Polls || len(w.app.about(reference)) != 1 {
		t.Errorf("a second run changed something:\n%+v\n%+v", before, after)
	}
}

// testFailedPayment: what the payer refuses ends FAILED, whichever function finds it
// out, and its external id can be used again.
func testFailedPayment(t *testing.T, w *world) {
	reference := w.pay(t, "REFUSED-BY-PAYER", mtnstand.Payer("failed_approval_rejected"), appKey)
	w.awaitCallbacks(t, reference)
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventFailed)
	if p := w.story(t, reference).Payment; p.Reason != "APPROVAL_REJECTED" {
		t.Errorf("reason %q", p.Reason)
	}
	for name, find := range map[string]func(reference string){
		"STATUS": func(reference string) {
			got := w.api(t, "status", event(t, "status/known", "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55", reference))
			if got.Code != 200 || got.Body["status"] != "FAILED" || got.Body["failureReason"] != "EXPIRED" {
				t.Errorf("%d %s", got.Code, got.Text)
			}
		},
		"RECONCILER": func(reference string) {
			w.bringForward(t, reference)
			w.reconcile(t)
		},
	} {
		silent := w.pay(t, "REFUSED-FOUND-BY-"+name, mtnstand.Payer(mtnstand.ScriptPending), appKey)
		if err := w.sandbox.SetOutcome(silent, "FAILED", "EXPIRED", false); err != nil {
			t.Fatal(err)
		}
		find(silent)
		w.forwardUntil(t, silent)
		w.checkDelivered(t, silent, payment.EventFailed)
	}
	again := w.pay(t, "REFUSED-BY-PAYER", "26876123456", appKey)
	w.awaitCallbacks(t, again)
	w.forwardUntil(t, again)
	w.checkDelivered(t, again, payment.EventSuccessful)
}

// bringForward makes a payment's next check due instead of waiting for it, as
// if a minute had passed since the last one.
func (w *world) bringForward(t *testing.T, reference string) {
	t.Helper()
	p := w.story(t, reference).Payment
	if p.NextCheckAt.IsZero() {
		t.Fatalf("%s, and no next check", p.Status)
	}
	p.NextCheckAt = ledger.Clock(time.Now().Add(-time.Second))
	if !p.CheckedAt.IsZero() {
		p.CheckedAt = p.CheckedAt.Add(-time.Minute)
	}
	if _, err := w.ledger.ClaimCheck(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

// reconcile is one run of the schedule.
func (w *world) reconcile(t *testing.T) {
	t.Helper()
	if err := w.processes["reconciler"].call(t.Context(), cloud.Scheduled("reconciler", time.Now()), nil); err != nil {
		t.Fatal(err)
	}
}
