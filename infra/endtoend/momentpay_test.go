package endtoend

import (
	"encoding/json"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
)

func testMomentPay(t *testing.T, w *world) {
	t.Run("link, paid", func(t *testing.T) { testLinkPaid(t, w) })
	t.Run("link, webhook lost", func(t *testing.T) { testLinkWebhookLost(t, w) })
	t.Run("push, failed", func(t *testing.T) { testPushFailed(t, w) })
}

// link starts a payment by link.
func (w *world) link(t *testing.T, order string) string {
	t.Helper()
	got := w.ask(t, appKey, map[string]any{
		"provider": "momentpay", "amount": "250.00", "externalId": order, "callbackFormat": "provider",
		"expiresAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	})
	told, _ := got.Body["instructions"].(map[string]any)
	if got.Code != 202 || got.Body["status"] != "PENDING" || told["link"] == "" {
		t.Fatalf("%d %s", got.Code, got.Text)
	}
	return got.reference()
}

// ends ends a payment request, and waits until the webhook about it is
// answered.
func (w *world) ends(t *testing.T, reference, status, reason string) {
	t.Helper()
	before, _ := w.moment.Payment(reference)
	if err := w.moment.SetOutcome(reference, status, reason, true); err != nil {
		t.Fatal(err)
	}
	w.until(t, "the webhook's answer", func() bool {
		e, _ := w.moment.Payment(reference)
		return len(e.Callbacks) > len(before.Callbacks)
	})
	e, _ := w.moment.Payment(reference)
	if sent := e.Callbacks[len(before.Callbacks)]; sent.Code != 200 {
		t.Fatalf("webhook %+v", sent)
	}
}

// testLinkPaid: what somebody without the secret sends is refused and changes
// nothing; a signed webhook ends the payment without a question, once; and the
// app gets MomentPay's own payload, as it asked to.
func testLinkPaid(t *testing.T, w *world) {
	reference := w.link(t, "MOMENT-PAID")
	for _, how := range momentstand.Forgeries() {
		sent, err := w.moment.SendCallback(reference, core.Notice{Kind: "paid", Status: "paid", Forged: how})
		if err != nil || sent.Code != 401 {
			t.Errorf("%s: %+v, %v", how, sent, err)
		}
	}
	if p := w.story(t, reference).Payment; !p.Open() || p.Sequence != 0 {
		t.Fatalf("forged webhooks made it %s", p.Status)
	}
	w.ends(t, reference, "paid", "")
	p := w.story(t, reference).Payment
	if p.Status != payment.Successful || p.EndedBy != payment.FromSignedWebhook {
		t.Fatalf("%s by %s", p.Status, p.EndedBy)
	}
	if n := w.moment.Counters().Requests[momentstand.RouteRetrieve]; n > 0 {
		t.Errorf("MomentPay was asked %d times", n)
	}
	again, err := w.moment.SendCallback(reference, core.Notice{Kind: "paid"})
	if err != nil || again.Code != 200 {
		t.Errorf("%+v, %v", again, err)
	}
	if e, _ := w.moment.Payment(reference); e.Asks != 1 || e.Accepted != 1 || e.Charges != 1 {
		t.Errorf("MomentPay's books: %+v", e)
	}

	w.forwardUntil(t, reference)
	s := w.story(t, reference)
	got := w.app.about(reference)
	if len(s.Deliveries) != 1 || len(got) != 1 || got[0].Fault != nil {
		t.Fatalf("deliveries %+v; the app got %+v", s.Deliveries, got)
	}
	var native struct {
		Type string
		Data struct {
			Status            string
			Amount            int
			Currency          string
			ExternalReference string `json:"external_reference"`
		}
	}
	if err := json.Unmarshal(got[0].Body, &native); err != nil {
		t.Fatal(err)
	}
	d := native.Data
	if native.Type != "payment_request.paid" || d.Status != "paid" || d.Amount != 25000 || d.Currency != "ZAR" || d.ExternalReference != reference {
		t.Errorf("the app got %s", got[0].Body)
	}
}

// testLinkWebhookLost: the schedule finds the ending.
func testLinkWebhookLost(t *testing.T, w *world) {
	reference := w.link(t, "MOMENT-LOST")
	if err := w.moment.SetOutcome(reference, "paid", "", false); err != nil {
		t.Fatal(err)
	}
	w.bringForward(t, reference)
	w.reconcile(t)
	if p := w.story(t, reference).Payment; p.Status != payment.Successful || p.EndedBy != payment.FromStatus {
		t.Fatalf("%s by %s", p.Status, p.EndedBy)
	}
	w.forwardUntil(t, reference)
	if got := w.app.about(reference); len(got) != 1 || got[0].Fault != nil {
		t.Errorf("the app got %+v", got)
	}
}

func testPushFailed(t *testing.T, w *world) {
	got := w.ask(t, appKey, map[string]any{
		"provider": "momentpay", "method": "push", "amount": "250.00", "externalId": "MOMENT-FAILED",
		"payer": map[string]any{"partyIdType": "MSISDN", "partyId": "27820000000"},
	})
	if got.Code != 202 {
		t.Fatalf("%d %s", got.Code, got.Text)
	}
	reference := got.reference()
	w.ends(t, reference, "failed", "INSUFFICIENT_FUNDS")
	w.forwardUntil(t, reference)
	w.checkDelivered(t, reference, payment.EventFailed)
	if p := w.story(t, reference).Payment; p.EndedBy != payment.FromSignedWebhook {
		t.Errorf("ended by %s", p.EndedBy)
	}
}
