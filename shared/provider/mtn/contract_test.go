package mtn_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/providertest"
)

// TestContract judges the adapter over the fake of this package.
func TestContract(t *testing.T) {
	t.Parallel()
	providertest.Run(t, func(t *testing.T, attempt time.Duration) providertest.Stand {
		f := newFake(t)
		cfg := config(f.URL)
		cfg.AttemptTimeout = attempt
		return providertest.Stand{
			Provider:   newProviderWith(t, cfg, nil, nil, time.Now),
			NewPayment: newPayment,
			Idempotent: true,
			Behave:     func(b ...providertest.Behaviour) bool { f.behave(b); return true },
			End: func(p payment.Payment, e providertest.Ending) {
				reference := p.Reference
				switch e {
				case providertest.Open:
					f.set(reference, "PENDING", nil, nil)
				case providertest.Successful:
					f.set(reference, "SUCCESSFUL", nil, "600198217")
				case providertest.Failed:
					f.set(reference, "FAILED", "NOT_ENOUGH_FUNDS", nil)
				}
			},
			Charges:     func(p payment.Payment) int { return f.charges(p.Reference) },
			Calls:       func() int { calls, _, _ := f.seen(); return len(calls) },
			Callbacks:   callbacks,
			CallbackURL: callbackURL,
			Secrets:     []string{apiKey, subscriptionKey, "secret-token", callbackToken},
		}
	})
}

func (f *fake) behave(all []providertest.Behaviour) {
	var script []answer
	for _, b := range all {
		switch b {
		case providertest.Works:
			script = append(script, works)
		case providertest.Refuses:
			script = append(script, says(500, `{"message":"Currency not supported.","code":"INVALID_CURRENCY"}`))
		case providertest.ResetsBefore:
			script = append(script, reset(false))
		case providertest.ResetsAfter:
			script = append(script, reset(true))
		case providertest.HangsBefore:
			script = append(script, hang(false))
		case providertest.HangsAfter:
			script = append(script, hang(true))
		case providertest.Fails:
			script = append(script, says(503, `{"message":"Service temporarily unavailable.","code":"SERVICE_UNAVAILABLE"}`))
		case providertest.FailsAfter:
			script = append(script, saysAfter(503, `{"message":"Service temporarily unavailable.","code":"SERVICE_UNAVAILABLE"}`))
		case providertest.Nonsense:
			script = append(script, says(200, "<html><title>Request Rejected</title></html>"))
		case providertest.Truncates:
			script = append(script, truncated)
		case providertest.Endless:
			script = append(script, endless)
		case providertest.Forgets:
			script = append(script, says(404, `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}`))
		case providertest.NobodyHome:
			script = append(script, says(404, "<html>Not Found</html>"))
		case providertest.StrangeWord:
			script = append(script, bends(func(m map[string]any) { m["status"] = "ON_HOLD" }))
		case providertest.OtherPayment:
			script = append(script, bends(func(m map[string]any) { m["externalId"] = "ORDER-1" }))
		case providertest.Echoes:
			script = append(script, echo)
		case providertest.RefusesCredentials:
			f.mu.Lock()
			f.onToken = func(w http.ResponseWriter, _ *http.Request) bool {
				reply(w, 500, `{"error":"login_failed"}`)
				return true
			}
			f.mu.Unlock()
			script = append(script, says(401, `{"statusCode":401,"message":"Unauthorized."}`))
		case providertest.Unreachable:
			f.stop()
		default:
			panic("unknown behaviour " + b)
		}
	}
	f.then(script...)
}

// callbacks writes the shapes of MTN's callback: reason as text and as an
// object, fields as text and as numbers, everything but the ids left out.
func callbacks(p payment.Payment, e providertest.Ending) []provider.Inbound {
	status, reasons := "PENDING", []any{nil}
	switch e {
	case providertest.Successful:
		status = "SUCCESSFUL"
	case providertest.Failed:
		status = "FAILED"
		reasons = []any{nil, "APPROVAL_REJECTED", "SOMETHING_NEW", "The payer said no.", map[string]string{"code": "EXPIRED", "message": "Too late."}, 7, []string{"x"}}
	}
	var out []provider.Inbound
	add := func(body []byte) { out = append(out, provider.Inbound{Body: body, At: time.Now()}) }
	for _, reason := range reasons {
		for _, amount := range []any{p.Amount.Decimal(), json.Number("150.5"), json.Number("150.500")} {
			body := map[string]any{
				"externalId": p.Reference, "amount": amount, "currency": p.Amount.Currency,
				"payer":     map[string]any{"partyIdType": "MSISDN", "partyId": string(p.Payer)},
				"payeeNote": p.PayeeNote, "status": status,
			}
			if reason != nil {
				body["reason"] = reason
			}
			if e == providertest.Successful {
				body["financialTransactionId"] = json.Number("600198217")
			}
			text, err := json.Marshal(body)
			if err != nil {
				panic(err)
			}
			add(text)
		}
	}
	add(fmt.Appendf(nil, `{"externalId":%q,"status":%q}`, p.Reference, status))
	add(fmt.Appendf(nil, `{"status":%q}`, status))
	return out
}
