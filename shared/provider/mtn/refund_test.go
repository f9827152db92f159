package mtn_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
	"momoproxy/shared/refund"
)

func newDisbursement(t *testing.T, cfg mtn.Config, client *http.Client) *mtn.Disbursement {
	t.Helper()
	d, err := mtn.NewDisbursement(cfg, providertest.NewMemoryTokens(time.Now), client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newRefund(p payment.Payment, k refund.Kind) refund.Refund {
	p.Status = payment.Successful
	_, r, err := refund.New(p, refund.Ask{ID: uuid.NewString(), Kind: k, Reason: "why", At: time.Now()})
	if err != nil {
		panic(err)
	}
	r, _ = refund.Claim(r, time.Now())
	return r
}

// asked leaves out the exchanges for tokens, so that attempts are seen.
func asked(a provider.Answer) provider.Answer {
	kept := a.Exchanges[:0:0]
	for _, x := range a.Exchanges {
		if !strings.HasSuffix(x.URL, "/token/") {
			kept = append(kept, x)
		}
	}
	a.Exchanges = kept
	return a
}

func TestRefundDecisions(t *testing.T) {
	t.Parallel()
	pay := newPayment()
	r := newRefund(pay, refund.ByRefund)
	adapter := func(t *testing.T, code int, body string) *mtn.Disbursement {
		return newDisbursement(t, config("https://mtn.example"), &http.Client{Transport: canned{code, body}})
	}
	status := func(t *testing.T, code int, body string) provider.Answer {
		return asked(adapter(t, code, body).RefundStatus(t.Context(), r))
	}
	submit := func(t *testing.T, code int, body string) provider.Answer {
		return asked(adapter(t, code, body).Refund(t.Context(), pay, r))
	}
	form := func(code string) string { return `{"message":"m","code":"` + code + `"}` }
	providertest.Matrix{
		Decisions: mtn.RefundDecisions, Golden: "refunds.golden", Error: form,
		Operations: []providertest.MatrixOperation{
			{Name: "refund", Kind: provider.OnSubmit, Ask: submit},
			{Name: "status question", Kind: provider.OnStatus, Ask: status},
			{Name: "status word", Kind: provider.OnWord, Ask: status, Body: func(word string) string {
				return `{"externalId":"` + r.Reference + `","amount":"150.50","currency":"SZL","payee":{"partyIdType":"MSISDN","partyId":"26876123456"},"status":"` + word + `"}`
			}},
		},
	}.Run(t)

	// No code that MTN is known to have makes a failure of "not found" or of a
	// server error.
	for _, rule := range mtn.Decisions {
		for _, code := range []int{404, 500, 503} {
			for _, a := range []provider.Answer{submit(t, code, form(rule.Code)), status(t, code, form(rule.Code))} {
				v := a.Evidence.Verdict
				if v != payment.SaysNothing && v != payment.SaysNotFound {
					t.Errorf("HTTP %d %s: %q", code, rule.Code, v)
				}
			}
		}
	}
}

// The stand-in plays each outcome of MTN's testing page.
func TestRefundOutcomes(t *testing.T) {
	t.Parallel()
	var later atomic.Bool
	s := mtnstand.New(mtnstand.Options{Options: core.Options{Now: func() time.Time {
		if later.Load() {
			return time.Now().Add(30 * time.Minute) // the token lives on
		}
		return time.Now()
	}}})
	if _, err := s.Provision(mtnstand.Account{APIUser: apiUser, APIKey: apiKey, SubscriptionKey: subscriptionKey, Currency: "SZL"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); s.Close() })
	d := newDisbursement(t, config(server.URL), nil)
	const nothing, accepted = payment.SaysNothing, payment.SaysAccepted
	for _, c := range []struct {
		name, refer, payee  string
		refunded, then, end payment.Verdict // of the request, of the first question and of one after the outcome
		code                string          // of the request
	}{
		{"not found", "1", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "RESOURCE_NOT_FOUND"},
		{"failed", "2", "", accepted, payment.SaysPending, payment.SaysFailed, ""},
		{"rejected", "3", "", accepted, payment.SaysPending, payment.SaysFailed, ""},
		{"expired", "4", "", accepted, payment.SaysPending, payment.SaysFailed, ""},
		{"ongoing", "5", "", accepted, payment.SaysPending, payment.SaysPending, ""},
		{"delayed", "6", "", accepted, payment.SaysPending, payment.SaysSuccessful, ""},
		{"not allowed", "7", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "NOT_ALLOWED"},
		{"environment", "8", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "NOT_ALLOWED_TARGET_ENVIRONMENT"},
		{"callback host", "9", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "INVALID_CALLBACK_URL_HOST"},
		{"currency", "10", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "INVALID_CURRENCY"},
		{"internal error", "11", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "INTERNAL_PROCESSING_ERROR"},
		{"unavailable", "12", "", nothing, payment.SaysNotFound, payment.SaysNotFound, "SERVICE_UNAVAILABLE"},
		{"could not perform", "13", "", accepted, payment.SaysPending, payment.SaysFailed, ""},
		{"transfer", "", "46733123499", accepted, payment.SaysPending, payment.SaysSuccessful, ""},
		{"transfer without funds", "", "46733123455", accepted, payment.SaysPending, payment.SaysFailed, ""},
		{"transfer to nobody", "", "46733123457", nothing, payment.SaysNotFound, payment.SaysNotFound, "PAYEE_NOT_FOUND"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pay := newPayment()
			kind := refund.ByRefund
			if pay.Reference = c.refer; c.payee != "" {
				kind, pay.Payer = refund.ByTransfer, payment.MSISDN(c.payee)
			}
			later.Store(false)
			r := newRefund(pay, kind)
			a := d.Refund(t.Context(), pay, r)
			if got := a.Evidence; got.Verdict != c.refunded || got.Code != c.code || !a.Attempted || len(asked(a).Exchanges) != 1 {
				t.Errorf("refund: %+v, %d exchanges", got, len(asked(a).Exchanges))
			}
			for _, x := range a.Exchanges {
				if text := fmt.Sprint(x); strings.Contains(text, apiKey) || strings.Contains(text, subscriptionKey) {
					t.Errorf("a secret in %s", text)
				}
			}
			if got := d.RefundStatus(t.Context(), r).Evidence; got.Verdict != c.then {
				t.Errorf("at once: %+v", got)
			}
			later.Store(true)
			got := d.RefundStatus(t.Context(), r).Evidence
			if got.Verdict != c.end || got.Verdict == payment.SaysSuccessful && (got.Amount != "150.5" || got.Currency != "SZL" || got.Reference != r.Reference) {
				t.Errorf("later: %+v", got)
			}
		})
	}
}

// What MTN is sent, byte for byte, and never a second time.
func TestRefundRequest(t *testing.T) {
	t.Parallel()
	_, server, cfg := newSandbox(t)
	var sent []*http.Request
	var bodies []map[string]any
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/token/") {
			var body map[string]any
			text, _ := r.GetBody()
			_ = json.NewDecoder(text).Decode(&body)
			sent, bodies = append(sent, r), append(bodies, body)
			return nil, fmt.Errorf("connection lost")
		}
		return server.Client().Transport.RoundTrip(r)
	})}
	d := newDisbursement(t, cfg, client)
	pay := newPayment()
	for i, k := range []refund.Kind{refund.ByRefund, refund.ByTransfer} {
		r := newRefund(pay, k)
		if a := d.Refund(t.Context(), pay, r); a.Evidence.Verdict != payment.SaysNothing || !a.Attempted {
			t.Errorf("%+v", a.Evidence)
		}
		if len(sent) != i+1 {
			t.Fatalf("%d requests for %d refunds", len(sent), i+1)
		}
		if got := sent[i].Header.Get("X-Reference-Id"); got != r.Reference {
			t.Errorf("reference %q, want %q", got, r.Reference)
		}
		want := map[string]any{"amount": "150.50", "currency": "SZL", "externalId": r.Reference, "payerMessage": "Refund", "payeeNote": "Refund"}
		path := "/disbursement/v1_0/refund"
		if k == refund.ByTransfer {
			path, want["payee"] = "/disbursement/v1_0/transfer", map[string]any{"partyIdType": "MSISDN", "partyId": "26876123456"}
		} else {
			want["referenceIdToRefund"] = pay.Reference
		}
		if fmt.Sprint(bodies[i]) != fmt.Sprint(want) || sent[i].URL.Path != path {
			t.Errorf("%s %v, want %v", sent[i].URL.Path, bodies[i], want)
		}
	}
}

// Without a token nothing is sent, and the answer says that for certain.
func TestRefundWithoutToken(t *testing.T) {
	t.Parallel()
	_, _, cfg := newSandbox(t)
	cfg.APIKey = "another"
	a := newDisbursement(t, cfg, nil).Refund(t.Context(), newPayment(), newRefund(newPayment(), refund.ByRefund))
	if a.Attempted || !a.Evidence.AccountFault || a.Evidence.Verdict != payment.SaysNothing {
		t.Errorf("%+v", a)
	}
}

// The tokens of the two products are kept apart.
func TestDisbursementHasItsOwnToken(t *testing.T) {
	t.Parallel()
	s, server, _ := newSandbox(t)
	account, err := s.Provision(mtnstand.Account{APIUser: apiUser, APIKey: apiKey, SubscriptionKey: subscriptionKey, DisbursementKey: strings.Repeat("d", 32), Currency: "SZL", CallbackHost: "pay.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	tokens := providertest.NewMemoryTokens(time.Now)
	collect := newProviderWith(t, config(server.URL), tokens, nil, time.Now)
	cfg := config(server.URL)
	cfg.SubscriptionKey = account.DisbursementKey
	d, err := mtn.NewDisbursement(cfg, tokens, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pay := newPayment()
	if a := collect.Submit(t.Context(), pay, ""); a.Evidence.Verdict != payment.SaysAccepted {
		t.Fatalf("%+v", a.Evidence)
	}
	if err := s.SetOutcome(pay.Reference, "SUCCESSFUL", "", false); err != nil {
		t.Fatal(err)
	}
	r := newRefund(pay, refund.ByRefund)
	if a := d.Refund(t.Context(), pay, r); a.Evidence.Verdict != payment.SaysAccepted {
		t.Errorf("%+v", a.Evidence)
	}
	if e, _ := s.Payment(r.Reference); e.Accepted != 1 || e.Method != mtnstand.RouteRefund {
		t.Errorf("%+v", e)
	}
}
