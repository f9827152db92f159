package httpapi_test

import (
	"testing"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/provider"
)

// inAccount is MTN as one of several accounts.
type inAccount struct {
	provider.Provider
	id string
}

func (a inAccount) Capabilities() provider.Capabilities {
	c := a.Provider.Capabilities()
	c.Account = a.id
	return c
}

// A payment's account is named wherever the payment is shown, when its
// provider has several.
func TestAccountIsNamed(t *testing.T) {
	o := testbed.Options{Change: func(g *gateway.Gateway, _ *httpapi.API) {
		mtn := g.Providers[0].Provider
		g.Providers = testbed.Guarded(g, inAccount{mtn, "mtn-old"}, inAccount{mtn, "mtn-new"})
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		a := w.Pay(`{"amount":"150.00","externalId":"A","account":"mtn-new","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`)
		is(t, a, 202, "")
		reference := a.Reference()
		shown := cloud.Request("GET /payments/{referenceId}", reference)
		shown.Headers["x-proxy-api-key"] = testbed.ShopKey
		listed := cloud.Request("GET /payments")
		listed.Headers["x-proxy-api-key"] = testbed.ShopKey
		for where, answer := range map[string]testbed.Answer{"202": a, "status": w.Ask(reference, testbed.ShopKey), "timeline": w.Call(t.Context(), shown)} {
			if answer.Text("account") != "mtn-new" {
				t.Errorf("%s: %s", where, answer.Body)
			}
		}
		payments, _ := w.Call(t.Context(), listed).Fields["payments"].([]any)
		if len(payments) != 1 || payments[0].(map[string]any)["account"] != "mtn-new" {
			t.Errorf("list: %v", payments)
		}
	})
}
