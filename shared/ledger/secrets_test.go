package ledger_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/webhook"
)

// gossip is a connection to MTN that collects what is secret on it and, when
// asked to, echoes the request's headers in its answer, as debug pages do.
type gossip struct {
	inner http.RoundTripper
	mu    sync.Mutex
	heard map[string]string // secret to what it is
	echo  bool
}

func (g *gossip) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	for _, name := range []string{"Authorization", "X-Callback-Url"} {
		if v := r.Header.Get(name); v != "" {
			_, last, _ := strings.Cut(v, " ")
			if name == "X-Callback-Url" {
				last = v[strings.LastIndex(v, "/")+1:]
			}
			g.heard[last] = name
		}
	}
	echo := g.echo
	g.mu.Unlock()
	if !echo {
		return g.inner.RoundTrip(r)
	}
	var page strings.Builder
	fmt.Fprintf(&page, "<pre>%s %s\n", r.Method, r.URL)
	_ = r.Header.Write(&page)
	return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(page.String())), Request: r}, nil
}

// A whole run, its failures included, leaves no secret readable in any
// record, in the audit log or in the log.
func TestSecretsAreNeverReadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gossip{heard: map[string]string{
			testbed.ShopKey: "api key", testbed.OtherKey: "api key", testbed.MTNKey: "MTN's api key", testbed.SubscriptionKey: "subscription key",
			strings.TrimPrefix(testbed.ShopSecret, "whsec_"): "signing secret", strings.TrimPrefix(testbed.OtherSecret, "whsec_"): "signing secret",
		}}
		o := testbed.Options{MTN: func(inner http.RoundTripper) http.RoundTripper { g.inner = inner; return g }}
		w := testbed.New(t, o)
		w.App.Answer(func(n int, r testbed.Received) webhook.Result {
			if n%2 == 1 {
				return webhook.Result{Code: 500, Excerpt: "no"}
			}
			return webhook.Result{Code: 200}
		})
		for i, plan := range []string{
			mtnstand.ScriptSuccess, "callback_put", "failed_not_enough_funds", "refused_payer_not_found", "timeout_after", "error500", "html200",
			"error401_once", "callback_forged", "status_truncated",
		} {
			w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer(plan)), "idempotency-key", fmt.Sprint(i))
		}
		w.Pay(`{"apiKey":"` + testbed.ShopKey + `","x-proxy-api-key":"` + testbed.ShopKey + `"}`)
		w.Pay(`Authorization: Bearer ` + testbed.ShopKey)
		w.Pay(`{}`, "x-proxy-api-key", testbed.OtherKey+"x")
		w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL","token":"`+testbed.MTNKey+`"}`)
		w.Pass(time.Hour)
		w.Sandbox.ExpireTokens()
		w.Pass(26 * time.Hour)
		g.mu.Lock()
		g.echo = true
		g.mu.Unlock()
		w.Pay(testbed.Order("ECHO", "26876123456"))
		w.Pass(time.Hour)

		if len(w.Records()) < 50 {
			t.Fatalf("%d records; the run did nothing", len(w.Records()))
		}
		directions := map[any]int{}
		for _, r := range w.Records() {
			text := fmt.Sprintf("%s %q %v", r.Key, r.Attributes, r.Index)
			for secret, what := range g.heard {
				if strings.Contains(text, secret) {
					t.Errorf("record %s shows a secret: %s", r.Key, what)
				}
			}
			if r.Space == table.Audit {
				directions[r.Attributes["direction"]]++
			}
		}
		for _, d := range []ledger.Direction{ledger.InboundFromApp, ledger.OutboundToProvider, ledger.InboundFromProvider, ledger.OutboundToApp} {
			if directions[string(d)] == 0 {
				t.Errorf("nothing %s is audited", d)
			}
		}
		for secret, what := range g.heard {
			if strings.Contains(w.Log(), secret) {
				t.Errorf("the log shows a secret: %s", what)
			}
		}
		if !strings.Contains(w.Log(), "delivery.attempted") {
			t.Error("the log is empty")
		}
	})
}

// The same of the providers that are reached in other ways: a key in a header
// or a basic login, a token in an address, a secret that signs webhooks. An
// echo of the token in a webhook is part of the run.
func TestOtherProvidersSecretsAreNeverReadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, testbed.Options{})
		heard := map[string]string{}
		for _, r := range providers.All() {
			for _, v := range r.Variables {
				if secret := w.Account(r.Name)[v.Name]; v.Secret && secret != "" {
					heard[strings.TrimPrefix(secret, "whsec_")] = v.Name
				}
			}
		}
		if len(heard) != 4 {
			t.Fatalf("%d secrets", len(heard))
		}
		token := w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"]
		moment := w.Account("momentpay")
		for i := range 20 {
			for _, m := range []string{"reference", "ekwanza", "mcx"} {
				w.Pay(fmt.Sprintf(`{"provider":"mom-factura","method":%q,"amount":"1500.%02d","externalId":"F-%s-%d","payer":{"partyIdType":"MSISDN","partyId":"244923456789"}}`, m, i, m, i))
				w.Pass(5 * time.Second)
			}
			for _, m := range []string{"link", "push"} {
				w.Pay(fmt.Sprintf(`{"provider":"momentpay","method":%q,"amount":"150.%02d","externalId":"M-%s-%d","payer":{"partyIdType":"MSISDN","partyId":"27823778084"}}`, m, i, m, i))
			}
		}
		const factura = "POST /webhooks/mom-factura/{token}"
		w.Webhook(factura, token, http.Header{}, `{"merchantTransactionId":"x","token":"`+token+`","operationStatus":"1"}`)
		w.Webhook(factura, token, http.Header{}, token)
		w.Webhook(factura, token+"x", http.Header{}, `{"operationStatus":"1"}`)
		w.Webhook("POST /webhooks/momentpay", "", http.Header{"Webhook-Signature": {"v1," + moment["MOMENTPAY_WEBHOOK_SECRETS"]}}, `{"key":"`+moment["MOMENTPAY_SECRET_KEY"]+`"}`)
		w.Pass(30 * time.Hour)

		ended := 0
		for _, r := range w.Records() {
			text := fmt.Sprintf("%s %q %v", r.Key, r.Attributes, r.Index)
			for secret, what := range heard {
				if strings.Contains(text, secret) {
					t.Errorf("record %s shows a secret: %s", r.Key, what)
				}
			}
			if r.Sort == "payment" && r.Attributes["status"] == "SUCCESSFUL" {
				ended++
			}
		}
		if ended < 20 {
			t.Errorf("%d payments succeeded; the run did nothing", ended)
		}
		for secret, what := range heard {
			if strings.Contains(w.Log(), secret) {
				t.Errorf("the log shows a secret: %s", what)
			}
		}
	})
}

// A client never shows its secrets when it is printed.
func TestClientPrintsWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := ledger.Client{ID: "cli_shop", Name: "Shop", APIKey: testbed.ShopKey, SigningSecrets: []string{testbed.ShopSecret}}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), fmt.Sprint(&c)} {
		if strings.Contains(text, testbed.ShopKey) || strings.Contains(text, testbed.ShopSecret) {
			t.Error(text)
		}
	}
}
