package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/payment"
)

// moment is a request to pay through MomentPay; the amount's cents pick what
// the stand-in does.
func moment(externalID, method, amount string) string {
	return fmt.Sprintf(`{"provider":"momentpay","method":%q,"amount":%q,"externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":"+27 82 377 8084"}}`,
		method, amount, externalID)
}

func TestMomentPayWays(t *testing.T) {
	succeeds := []string{"payment.successful"}
	for _, c := range []struct {
		name, method, amount string
		status               payment.Status
		events               []string
		within               time.Duration
	}{
		{"paid", "link", "150.00", payment.Successful, succeeds, time.Minute},
		{"pushed and paid", "push", "150.00", payment.Successful, succeeds, time.Minute},
		{"nobody pays", "link", "150.51", payment.Cancelled, []string{"payment.cancelled"}, 27 * time.Hour},
		{"failed without a word", "push", "150.52", payment.Failed, []string{"payment.failed"}, 10 * time.Minute},
		{"webhook lost", "link", "150.61", payment.Successful, succeeds, 5 * time.Minute},
		{"webhook doubled", "link", "150.63", payment.Successful, succeeds, 5 * time.Minute},
		{"success forged, truly declined", "push", "150.64", payment.Failed, []string{"payment.failed"}, 10 * time.Minute},
		{"told by an update", "link", "150.65", payment.Successful, succeeds, time.Minute},
		{"the other spelling", "link", "150.66", payment.Successful, succeeds, time.Minute},
		{"a webhook that says no amount", "link", "150.67", payment.Successful, succeeds, time.Minute},
		{"an event nobody knows", "link", "150.68", payment.Successful, succeeds, time.Minute},
		{"another amount", "link", "150.69", payment.Pending, nil, time.Hour},
		{"made, the answer lost", "link", "150.72", payment.Successful, succeeds, 5 * time.Minute},
		{"answers and webhook lost", "push", "150.74", payment.Successful, succeeds, 10 * time.Minute},
		{"refused", "link", "150.79", payment.Failed, []string{"payment.failed"}, time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				reference := w.Pay(moment("ORDER-1", c.method, c.amount)).Reference()
				w.Pass(c.within)
				if got := w.Status(reference); got != c.status {
					t.Errorf("it is %s, not %s", got, c.status)
				}
				if diff := cmp.Diff(c.events, announced(w, reference)); diff != "" {
					t.Errorf("events (-want +announced):\n%s", diff)
				}
				e, made := testbed.Standin[*momentstand.Standin](w).Payment(reference)
				if made && e.Accepted > 1 || e.Charges > 1 {
					t.Errorf("%d payment requests, %d charges under one reference", e.Accepted, e.Charges)
				}
			})
		})
	}
}

// Ten thousand webhooks that MomentPay did not sign, or not so: all are
// refused, nothing is asked, nothing changes.
func TestABurstOfForgedMomentWebhooks(t *testing.T) {
	const next = "whsec_dGhlIG5leHQgc2VjcmV0IG9mIG1vbWVudHBheSEhISE="
	both := func(provider string, variables map[string]string) {
		if provider == momentstand.Name {
			variables["MOMENTPAY_WEBHOOK_SECRETS"] += " " + next
		}
	}
	bubble(t, testbed.Options{Account: both}, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(moment("ORDER-1", "link", "150.51")).Reference()
		w.Pass(time.Second) // its own webhook, of its making
		before := testbed.Standin[*momentstand.Standin](w).Counters()
		for i := range 10_000 {
			kinds := momentstand.Forgeries()
			hook, err := testbed.Standin[*momentstand.Standin](w).Compose(reference, core.Notice{Status: "paid", Forged: kinds[i%len(kinds)]})
			if err != nil {
				t.Fatal(err)
			}
			body := string(hook.Body)
			if i%7 == 0 { // a true signature over other bytes
				if hook, err = testbed.Standin[*momentstand.Standin](w).Compose(reference, core.Notice{Kind: "updated"}); err != nil {
					t.Fatal(err)
				}
				body = strings.Replace(string(hook.Body), `"active"`, `"paid"`, 1)
			}
			if a := w.Webhook("POST /webhooks/momentpay", "", hook.Header, body); a.StatusCode != 401 || a.Code() != "bad_signature" {
				t.Fatalf("forged webhook %d was answered %d %s", i, a.StatusCode, a.Body)
			}
		}
		if diff := cmp.Diff(before, testbed.Standin[*momentstand.Standin](w).Counters()); diff != "" {
			t.Errorf("MomentPay was asked (-before +after):\n%s", diff)
		}
		if w.Status(reference) != payment.Pending || announced(w, reference) != nil {
			t.Errorf("it is %s, announced %v", w.Status(reference), announced(w, reference))
		}
		// A true one, even under the next secret, is believed at once.
		testbed.Standin[*momentstand.Standin](w).RotateSecrets(next)
		if err := testbed.Standin[*momentstand.Standin](w).SetOutcome(reference, "paid", "", true); err != nil {
			t.Fatal(err)
		}
		w.Pass(5 * time.Second)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("after the true webhook it is %s", got)
		}
	})
}

// A payment is changed by its own provider's callbacks alone, though apps may name
// their orders after other payments' references and ids.
func TestProvidersNeverMeet(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(factura("ORDER-1", "reference", "1500.10")).Reference()
		operation := w.Payment(reference).IDs["operationId"]
		inOther := w.Pay(moment("ORDER-2", "link", "1500.51")).Reference()
		// Orders named after the others' ids, at every provider.
		traps := []string{
			w.Pay(moment(reference, "link", "1500.51")).Reference(),
			w.Pay(moment(operation, "link", "1500.51")).Reference(),
			w.Pay(factura(inOther, "reference", "1500.10")).Reference(),
			w.Pay(testbed.Order(inOther, "46733123453")).Reference(),
		}
		if err := testbed.Standin[*momentstand.Standin](w).SetOutcome(inOther, "paid", "", true); err != nil {
			t.Fatal(err)
		}
		w.Webhook("POST /webhooks/mom-factura/{token}", w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"], http.Header{},
			fmt.Sprintf(`{"event":"payment.confirmed","operationId":%q,"operationStatus":"1"}`, operation))
		w.CallBack("POST", "", fmt.Sprintf(`{"externalId":%q,"status":"SUCCESSFUL"}`, inOther))
		w.Pass(30 * time.Second)
		if got := w.Status(inOther); got != payment.Successful {
			t.Errorf("the paid one is %s", got)
		}
		for i, trap := range traps[:3] {
			if got := w.Status(trap); got != payment.Pending {
				t.Errorf("trap %d is %s", i, got)
			}
		}
		for _, a := range w.Trail(traps[0]) {
			if strings.Contains(a.URL, "/webhooks/mom-factura") {
				t.Errorf("a webhook about another payment is in its trail: %s", a.URL)
			}
		}
	})
}

// A provider that is not configured is named, with those that are.
func TestUnconfiguredProvider(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.Gateway.Providers = w.Gateway.Providers[:1]
		_, faults := gatewayFaults(w, gateway.Request{Provider: "momentpay", Amount: "1.00", ExternalID: "A"})
		if diff := cmp.Diff([]gateway.Fault{{Field: "provider", Message: "is not configured here; configured: mtn"}}, faults); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func gatewayFaults(w *testbed.World, r gateway.Request) (int, []gateway.Fault) {
	faults := w.Gateway.Faults(context.Background(), r, nil)
	return len(faults), faults
}

// An app may have the providers' own payloads, inside the same signed
// delivery (the testbed's app verifies each).
func TestNativeCallbacks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		native := func(body string) string {
			a := w.Pay(strings.TrimSuffix(body, "}") + `,"callbackFormat":"provider"}`)
			if a.StatusCode != 202 {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
			return a.Reference()
		}
		// Webhooks arrive, so they are passed on; or are lost, so the same is
		// written.
		refs := []string{
			native(factura("A", "reference", "1500.00")), native(factura("B", "reference", "1500.01")),
			native(moment("C", "link", "150.00")), native(moment("D", "link", "150.61")),
			native(testbed.Order("E", "26876123456")),
		}
		w.Pass(10 * time.Minute)
		var got []string
		for _, r := range w.App.Got() {
			got = append(got, r.Body)
		}
		all := strings.Join(got, "\n")
		for i, ref := range refs {
			p := w.Payment(ref)
			if p.Status != payment.Successful {
				t.Fatalf("payment %d is %s", i, p.Status)
			}
			for _, d := range w.Story(ref).Deliveries {
				if !strings.Contains(all, d.Body) || d.Body == string(payment.Announcement(p.Payment, d.Event, d.Sequence)) {
					t.Errorf("payment %d, %s: %s", i, d.Event, d.Body)
				}
			}
		}
		for _, want := range []string{
			`"event":"payment.confirmed"`, `"event":"invoice.created"`, `"type":"payment_request.paid"`, `"status":"SUCCESSFUL"`,
		} {
			if !strings.Contains(strings.ReplaceAll(all, `": "`, `":"`), want) {
				t.Errorf("no callback has %s:\n%s", want, all)
			}
		}
		if n := strings.Count(all, `"event":"invoice.created"`); n != 2 {
			t.Errorf("%d invoices announced", n)
		}
	})
}
