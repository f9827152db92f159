package gateway_test

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// sendSigned sends MomentPay's paid event about a payment, changed by pairs
// of texts before it is signed.
func sendSigned(t *testing.T, w *testbed.World, reference string, changes ...string) {
	t.Helper()
	if a := signed(t, w, reference, changes...); a.StatusCode != 200 {
		t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
}

func signed(t *testing.T, w *testbed.World, reference string, changes ...string) testbed.Answer {
	t.Helper()
	hook, err := testbed.Standin[*momentstand.Standin](w).Compose(reference, core.Notice{Status: "paid"})
	if err != nil {
		t.Fatal(err)
	}
	body := strings.NewReplacer(changes...).Replace(string(hook.Body))
	secret, err := webhook.ParseSecret(w.Account("momentpay")["MOMENTPAY_WEBHOOK_SECRETS"])
	if err != nil {
		t.Fatal(err)
	}
	header, err := webhook.Headers("evt_xyz987654321000001", time.Now(), []byte(body), secret)
	if err != nil {
		t.Fatal(err)
	}
	return w.Webhook("POST /webhooks/momentpay", "", header, body)
}

// A signed success ends the payment that it names and no other. Where its ids
// lead to different payments it is a hint for all of them.
func TestASignedSuccessEndsThePaymentItNames(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := w.Pay(moment("ORDER-1", "link", "150.51")).Reference()
		second := w.Pay(moment("ORDER-2", "link", "150.51")).Reference()
		id := func(reference string) string { return w.Payment(reference).IDs["id"] }
		both := func(want payment.Status, why string) {
			t.Helper()
			for _, r := range []string{first, second} {
				if got := w.Status(r); got != want {
					t.Errorf("%s: %s is %s, not %s", why, r, got, want)
				}
			}
		}
		sendSigned(t, w, second, id(second), id(first))
		both(payment.Pending, "the id of one, the reference of the other")
		sendSigned(t, w, second, id(second), "pr_unknown")
		both(payment.Pending, "an id that is not its own")
		sendSigned(t, w, second, second, "11111111-1111-4111-8111-111111111111")
		both(payment.Pending, "a reference of nobody's")
		sendSigned(t, w, second, second, "ORDER-2")
		both(payment.Pending, "an app's order id")
		sendSigned(t, w, second, second, strings.ToUpper(second))
		if w.Status(second) != payment.Successful || w.Status(first) != payment.Pending {
			t.Errorf("its own event left it %s, the other %s", w.Status(second), w.Status(first))
		}
	})
}

// Two payments have got one id: the event ends the one that it names.
func TestASignedSuccessUnderAnIDOfTwo(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := w.Pay(moment("ORDER-1", "link", "150.51")).Reference()
		second := w.Pay(moment("ORDER-2", "link", "150.51")).Reference()
		p := w.Payment(second)
		d := payment.Decide(p.Payment, payment.Evidence{
			Source: payment.FromStatus, Verdict: payment.SaysPending, At: time.Now(),
			Particulars: payment.Particulars{IDs: map[string]string{"payment_id": w.Payment(first).IDs["id"]}},
		}, payment.Policy{})
		if _, _, err := w.Ledger.Apply(t.Context(), ledger.Change{Before: p, Decision: d}); err != nil {
			t.Fatal(err)
		}
		sendSigned(t, w, first)
		if w.Status(first) != payment.Successful || w.Status(second) != payment.Pending {
			t.Errorf("named: %s; the other: %s", w.Status(first), w.Status(second))
		}
	})
}

// The payment that is named has learned no id yet, and the id in the body is
// another payment's: neither is ended by it.
func TestASignedSuccessWithTheIDOfAnother(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := w.Pay(moment("ORDER-1", "link", "150.51")).Reference()
		p := w.Payment(first)
		p.Reference, p.ExternalID, p.IDs = "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f", "ORDER-2", nil
		if _, err := w.Ledger.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		lost := p.Reference
		sendSigned(t, w, first, first, lost)
		for _, r := range []string{first, lost} {
			if p := w.Payment(r); p.EndedBy == payment.FromSignedWebhook {
				t.Errorf("%s is %s by it", r, p.Status)
			}
		}
	})
}
