package endtoend

import (
	"slices"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// testPayments looks through delivered payments as their app does, and has
// one callback sent again.
func testPayments(t *testing.T, w *world, references []string) {
	const known = "7d0f5b0e-6c1e-4b0a-9a57-2f0f3f3b1c55"
	// The index may lag behind the table.
	var listed []string
	for deadline := time.Now().Add(patience); !slices.Contains(listed, references[0]) && time.Now().Before(deadline); {
		got := w.api(t, "payments", event(t, "payments/list"))
		if got.Code != 200 || got.Headers["ratelimit"] == "" {
			t.Fatalf("%d %s %v", got.Code, got.Text, got.Headers)
		}
		listed = nil
		for _, p := range got.Body["payments"].([]any) {
			reference, _ := p.(map[string]any)["referenceId"].(string)
			listed = append(listed, reference)
		}
	}
	for _, reference := range references {
		if !slices.Contains(listed, reference) {
			t.Errorf("%s is not listed: %v", reference, listed)
		}
	}
	one := w.api(t, "payments", event(t, "payments/list-of-one-order", "EVENT-CALLBACK", "EVENT-ACCEPTED"))
	if list, _ := one.Body["payments"].([]any); one.Code != 200 || len(list) != 1 {
		t.Errorf("one order: %d %s", one.Code, one.Text)
	}
	if got := w.api(t, "payments", event(t, "payments/list", appKey, otherKey)); got.Code != 200 || strings.Contains(got.Text, references[0]) {
		t.Errorf("another app's list: %d %s", got.Code, got.Text)
	}
	if got := w.api(t, "status", event(t, "status/providers")); got.Code != 200 || !strings.Contains(got.Text, `"lastSuccessAt":"2`) {
		t.Errorf("the providers: %d %s", got.Code, got.Text)
	}

	reference := references[0]
	timeline := w.api(t, "payments", event(t, "payments/timeline", known, reference))
	happened, _ := timeline.Body["events"].([]any)
	if timeline.Code != 200 || timeline.Body["callbackForwarded"] != true || len(happened) != 1 {
		t.Fatalf("%d %s", timeline.Code, timeline.Text)
	}
	if got := w.api(t, "payments", event(t, "payments/timeline", known, reference, appKey, otherKey)); got.Code != 403 {
		t.Errorf("another app's payment: %d %s", got.Code, got.Text)
	}
	if got := w.api(t, "payments", event(t, "payments/resend-callback", known, reference, appKey, otherKey)); got.Code != 403 {
		t.Errorf("another app's callback: %d %s", got.Code, got.Text)
	}

	// Once more: ten seconds after the attempt at the earliest, which have
	// passed unless everything before was fast.
	deadline := time.Now().Add(patience)
	resent := w.api(t, "payments", event(t, "payments/resend-callback", known, reference))
	for resent.Code == 429 && time.Now().Before(deadline) {
		if resent.Headers["retry-after"] == "" {
			t.Fatalf("%v", resent.Headers)
		}
		time.Sleep(200 * time.Millisecond)
		resent = w.api(t, "payments", event(t, "payments/resend-callback", known, reference))
	}
	if resent.Code != 202 || resent.Body["eventId"] != payment.EventID(reference, 1) {
		t.Fatalf("%d %s", resent.Code, resent.Text)
	}
	w.forwardUntil(t, reference)
	got := w.app.about(reference)
	if len(got) != 2 || got[1].Fault != nil || got[1].EventID != got[0].EventID {
		t.Errorf("the app got %+v", got)
	}
}

// testRetention: with RetentionDays every record of an ended payment expires
// that long after its end or its writing, whichever function wrote it.
func testRetention(t *testing.T, w *world, reference string) {
	for space, least := range map[table.Space]int{table.Main: 2, table.Audit: 3} {
		page, err := w.parts.Table.Query(t.Context(), table.Query{Space: space, Partition: "payment#" + reference})
		if err != nil || len(page.Records) < least {
			t.Fatalf("%d records of %s in %s: %v", len(page.Records), reference, space, err)
		}
		for _, rec := range page.Records {
			if rec.Sort == "used" && rec.ExpiresAt.IsZero() {
				continue // what was a payment's reference is never another's
			}
			if left := time.Until(rec.ExpiresAt); left < retention-time.Hour || left > retention {
				t.Errorf("%s expires in %s", rec.Key, left)
			}
		}
	}
}
