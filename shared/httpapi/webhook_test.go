package httpapi_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// What the payer needs is in the 202, in a replay, in the status and in the
// timeline; the invoice is an event of its own.
func TestMomFacturaReference(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		body := `{"provider":"mom-factura","method":"reference","amount":"15000.00","externalId":"ORDER-1"}`
		a := is(t, w.Pay(body, "idempotency-key", "k-1"), 202, "")
		golden(t, "request-to-pay/202-mom-factura", a.Body)
		if again := w.Pay(body, "idempotency-key", "k-1"); again.Body != a.Body || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("the replay differs: %s", again.Body)
		}
		w.Pass(3 * time.Minute)
		reference := a.Reference()
		status := is(t, w.Ask(reference, testbed.ShopKey), 200, "")
		if status.Text("status") != "SUCCESSFUL" || !strings.HasPrefix(status.Text("invoiceUrl"), "https://") || status.Fields["instructions"] == nil {
			t.Errorf("status: %s", status.Body)
		}
		got := w.App.About(reference)
		if len(got) != 2 {
			t.Fatalf("%d callbacks", len(got))
		}
		golden(t, "callback/invoice", got[1].Body)
	})
}

// The outcome of MCX comes with the answer, and a replay repeats it.
func TestMomFacturaMCX(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for order, c := range map[string]struct{ amount, status string }{"PAID": {"150.00", "SUCCESSFUL"}, "POOR": {"150.14", "FAILED"}} {
			body := `{"provider":"mom-factura","method":"mcx","amount":"` + c.amount + `","externalId":"` + order +
				`","payer":{"partyIdType":"MSISDN","partyId":"+244 923 456 789"}}`
			a := is(t, w.Pay(body, "idempotency-key", order), 202, "")
			if a.Text("status") != c.status {
				t.Errorf("%s: %s", order, a.Body)
			}
			if again := w.Pay(body, "idempotency-key", order); again.Body != a.Body {
				t.Errorf("%s: the replay differs: %s", order, again.Body)
			}
		}
	})
}

// A payment that names no payer has a null there, in the list and alone.
func TestNoPayerIsNull(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(`{"provider":"momentpay","amount":"150.00","externalId":"ORDER-1"}`).Reference()
		for _, a := range []testbed.Answer{list(t, w, testbed.ShopKey), own(t, w, timelineRoute, reference, testbed.ShopKey), w.Ask(reference, testbed.ShopKey)} {
			if is(t, a, 200, ""); !strings.Contains(a.Body, `"payer":null`) {
				t.Errorf("its payer is not null: %s", a.Body)
			}
		}
	})
}

func TestMethodFaults(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for body, says := range map[string]string{
			`"provider":"mom-factura"`:                         "is required by provider mom-factura: reference, ekwanza, mcx",
			`"provider":"mom-factura","method":"visa"`:         "must be one of provider mom-factura's: reference, ekwanza, mcx",
			`"provider":"mom-factura","method":"mcx"`:          "payer",
			`"provider":"momentpay","method":"push"`:           "payer",
			`"provider":"momentpay","currency":"SZL"`:          "must be ZAR for provider momentpay",
			`"provider":"visa"`:                                "is not configured here; configured: mom-factura, momentpay, mtn",
			`"provider":"mtn","method":"mcx"`:                  "is not used by provider mtn; leave it out",
			`"provider":"momentpay","callbackFormat":"theirs"`: `must be \"proxy\" or \"provider\"`,
		} {
			a := is(t, w.Pay(`{"amount":"150.00","externalId":"ORDER-1",`+body+`}`), 422, "validation_failed")
			if !strings.Contains(a.Body, says) {
				t.Errorf("%s: %s", body, a.Body)
			}
		}
	})
}

// MomentPay sends again what was not taken: our faults are answered as such, and so is a
// provider that is not configured.
func TestMomentPayWebhookAnswers(t *testing.T) {
	var down atomic.Bool
	o := tableDown(&down, table.ErrUnavailable)
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		reference := w.Pay(`{"provider":"momentpay","amount":"150.51","externalId":"ORDER-1"}`).Reference()
		paid := func() (http.Header, string) {
			hook, err := testbed.Standin[*momentstand.Standin](w).Compose(reference, core.Notice{Status: "paid"})
			if err != nil {
				t.Fatal(err)
			}
			return hook.Header, string(hook.Body)
		}
		const route = "POST /webhooks/momentpay"
		header, body := paid()
		down.Store(true)
		a := is(t, w.Webhook(route, "", header, body), 503, "unavailable")
		if a.Headers["retry-after"] == "" {
			t.Error("no word when to send it again")
		}
		down.Store(false)
		if got := is(t, w.Webhook(route, "", header, body), 200, ""); got.Body != `{"received":true}` {
			t.Errorf("answered %s", got.Body)
		}
		if w.Status(reference) != payment.Successful {
			t.Errorf("it is %s", w.Status(reference))
		}
		restart := func(change func(*gateway.Gateway, *httpapi.API)) { o.Change = change; w.Restart(o) }
		restart(func(g *gateway.Gateway, _ *httpapi.API) { g.Providers = g.Providers[:1] })
		is(t, w.Webhook(route, "", header, body), 404, "not_found")
		received(t, "unconfigured", w.Webhook("POST /webhooks/mom-factura/{token}", w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"], http.Header{}, "{}"))
		restart(func(_ *gateway.Gateway, a *httpapi.API) { a.Callbacks.Gateway = nil }) // a panic
		is(t, w.Webhook(route, "", header, body), 500, "internal")
		received(t, "panic", w.Webhook("POST /webhooks/mom-factura/{token}", w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"], http.Header{}, "{}"))
	})
}
