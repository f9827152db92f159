package momfactura_test

import (
	"fmt"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/provider/providertest"
)

// TestContract judges the adapter over the stand-in, in every form in which
// the provider's pages contradict each other. MCX, which ends with its answer,
// has tests of its own.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method string
		dialect      facturastand.Dialect
	}{
		{"reference", momfactura.MethodReference, facturastand.Dialect{}},
		{"ekwanza", momfactura.MethodEkwanza, facturastand.Dialect{}},
		{"reference, other pages", momfactura.MethodReference, facturastand.Dialect{SDK: true, SwapNesting: true, Bare: true, Numbers: true, WithdrawOptional: true}},
		{"ekwanza, other pages", momfactura.MethodEkwanza, facturastand.Dialect{SDK: true, SwapNesting: true, Bare: true, Numbers: true, WithdrawOptional: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, func(t *testing.T, attempt time.Duration) providertest.Stand {
				w := newWorld(t, c.dialect, attempt)
				return providertest.Stand{
					Provider:   w.Provider,
					NewPayment: func() payment.Payment { return newPayment(c.method) },
					Tokenless:  true,
					Behave:     func(b ...providertest.Behaviour) bool { return w.behave(t, c.method, b) },
					End: func(p payment.Payment, e providertest.Ending) {
						status := map[providertest.Ending]string{providertest.Open: facturastand.Pending, providertest.Successful: facturastand.Paid, providertest.Failed: facturastand.Failed}[e]
						if err := w.SetOutcome(handle(p), status, "", false); err != nil {
							t.Error(err)
						}
					},
					Charges:   w.made,
					Calls:     w.calls,
					Callbacks: func(p payment.Payment, e providertest.Ending) []provider.Inbound { return webhooks(p, e, webhookToken) },
					Forged: func(p payment.Payment, e providertest.Ending) []provider.Inbound {
						return append(webhooks(p, e, ""), webhooks(p, e, "another-token-0123456789")...)
					},
					CallbackURL: "https://pay.example.com/callback/x/aWxsIGdlbiB0b2tlbg",
					Secrets:     []string{apiKey, webhookToken},
				}
			})
		})
	}
}

// handle is the id under which the stand-in is asked about p.
func handle(p payment.Payment) string {
	if p.Method == momfactura.MethodEkwanza {
		return p.IDs["code"]
	}
	return p.IDs["operationId"]
}

// behave says which behaviours the stand-in has.
func (w world) behave(t *testing.T, method string, all []providertest.Behaviour) bool {
	t.Helper()
	faults := map[providertest.Behaviour]core.Fault{
		providertest.Refuses:            core.Error400Before,
		providertest.ResetsBefore:       core.ResetBefore,
		providertest.ResetsAfter:        core.ResetAfter,
		providertest.HangsBefore:        core.TimeoutBefore,
		providertest.HangsAfter:         core.TimeoutAfter,
		providertest.Fails:              core.Error500Before,
		providertest.FailsAfter:         core.Error500After,
		providertest.Nonsense:           core.HTML200Before,
		providertest.Truncates:          core.Truncated,
		providertest.Endless:            core.Endless,
		providertest.Forgets:            core.Error404Before,
		providertest.NobodyHome:         core.HTML404Before,
		providertest.StrangeWord:        facturastand.UnknownWord,
		providertest.OtherPayment:       facturastand.OtherPayment,
		providertest.RefusesCredentials: core.Error401Before,
		providertest.Echoes:             core.EchoBefore,
	}
	for i, b := range all {
		times := 1
		if i == len(all)-1 {
			times = 0
		}
		routes := []string{method, facturastand.RouteStatus}
		switch b {
		case providertest.Works:
			continue
		case providertest.Unreachable:
			providertest.Refuse(t, w.server.Listener)
			w.server.CloseClientConnections()
			continue
		case providertest.OtherPayment:
			if method == momfactura.MethodEkwanza {
				return false // its answers name no id that ours do
			}
			routes = routes[1:]
		case providertest.StrangeWord:
			routes = routes[1:]
		}
		for _, route := range routes {
			if err := w.AddRule(core.Rule{Route: route, Fault: faults[b], Times: times}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return true
}

// webhooks writes what the provider is known to send when p ends so: text and
// numbers, with an event and without. Nothing is sent of an open payment.
func webhooks(p payment.Payment, e providertest.Ending, token string) []provider.Inbound {
	id := p.IDs["transactionId"]
	if id == "" {
		id = handle(p)
	}
	var bodies []string
	ids := fmt.Sprintf(`"merchantTransactionId":%q,"ekwanzaTransactionId":`, id)
	switch e {
	case providertest.Successful:
		bodies = []string{
			`{"event":"payment.confirmed",` + ids + `"EKZ456","operationStatus":"1","operationData":{}}`,
			`{"event":"payment.confirmed",` + ids + `456,"operationStatus":1,"operationData":{"amount":150.5,"referenceType":"REF"}}`,
			`{"event":"invoice.created",` + ids + `"EKZ456","operationStatus":"1","operationData":null,"invoiceUrl":"https://invoice-momenu.toquemedia.net/invoices/1"}`,
			`{` + ids + `"EKZ456","operationStatus":"1","operationData":{}}`,
			`{` + ids + `456,"operationStatus":1}`,
			`{"event":"payment.paid",` + ids + `"EKZ456"}`,
		}
	case providertest.Failed:
		bodies = []string{
			`{` + ids + `"EKZ456","operationStatus":"4","operationData":{}}`,
			`{` + ids + `456,"operationStatus":4}`,
			`{"event":null,` + ids + `null,"operationStatus":"4"}`,
		}
	}
	var all []provider.Inbound
	for _, body := range bodies {
		all = append(all, provider.Inbound{Token: token, Body: []byte(body), At: time.Now()})
	}
	return all
}
