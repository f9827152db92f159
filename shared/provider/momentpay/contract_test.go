package momentpay_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/providertest"
)

const (
	secretKey = "sk_test_5f4dcc3b5aa765d61d8327deb882cf99"
	newSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

func config(base string) momentpay.Config {
	return momentpay.Config{BaseURL: base, SecretKey: secretKey, WebhookSecrets: []string{newSecret, oldSecret}}
}

func newProvider(t testing.TB, cfg momentpay.Config, client *http.Client, now func() time.Time) *momentpay.Provider {
	t.Helper()
	p, err := momentpay.New(cfg, client, now, momentpay.WithBackoff(func(int) time.Duration { return time.Millisecond }))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newPayment makes a payment by link of ZAR 150.00.
func newPayment() payment.Payment {
	now := time.Now().UTC()
	return payment.Payment{
		Reference: uuid.NewString(), Provider: momentpay.Name, Method: momentpay.MethodLink, ExternalID: "ORDER-1",
		Amount: payment.Money{Minor: 15000, Currency: "ZAR"}, PayerMessage: "Order 1 & more",
		Status: payment.Pending, CreatedAt: now,
	}
}

func newPush() payment.Payment {
	p := newPayment()
	p.Method, p.Payer = momentpay.MethodPush, "27823778084"
	return p
}

// nobody carries webhooks nowhere: what happens then is not the adapter's
// part.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var nobody = &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") })}

func newSandbox(t testing.TB, o momentstand.Options) *momentstand.Standin {
	t.Helper()
	o.SecretKey, o.HTTPClient, o.Manual = secretKey, nobody, true
	if o.WebhookSecrets == nil {
		o.WebhookSecrets = []string{newSecret}
	}
	s := momentstand.New(o)
	t.Cleanup(s.Close)
	return s
}

// TestContract judges the adapter by the port's suite, over the stand-in, for
// each method and for either of what MomentPay's pages leave open.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options momentstand.Options
		payment func() payment.Payment
	}{
		"link":               {momentstand.Options{}, newPayment},
		"push":               {momentstand.Options{}, newPush},
		"as in the contract": {momentstand.Options{ContractEvents: true, URLSpelling: true, OwnWebhookID: true, FlatErrors: true, RefuseOtherBody: true, ExpiryFirst: true}, newPayment},
		"during a rotation":  {momentstand.Options{WebhookSecrets: []string{"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", oldSecret}}, newPush},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Run(t, func(t *testing.T, attempt time.Duration) providertest.Stand {
				return stand(t, c.options, c.payment, attempt)
			})
		})
	}
}

func stand(t *testing.T, o momentstand.Options, newPayment func() payment.Payment, attempt time.Duration) providertest.Stand {
	s := newSandbox(t, o)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	cfg := config(server.URL)
	cfg.AttemptTimeout = attempt
	return providertest.Stand{
		Provider:   newProvider(t, cfg, nil, time.Now),
		NewPayment: newPayment,
		Idempotent: true,
		Tokenless:  true,
		Behave: func(all ...providertest.Behaviour) bool {
			for i, b := range all {
				if b == providertest.Unreachable {
					providertest.Refuse(t, server.Listener)
					server.CloseClientConnections()
				} else if !behave(t, s, b, i == len(all)-1) {
					return false
				}
			}
			return true
		},
		End: func(p payment.Payment, e providertest.Ending) {
			status := map[providertest.Ending]string{providertest.Open: "active", providertest.Successful: "paid", providertest.Failed: "failed"}[e]
			if err := s.SetOutcome(p.Reference, status, "INSUFFICIENT_FUNDS", false); err != nil && !errors.Is(err, core.ErrUnknown) {
				t.Error(err)
			}
		},
		Charges: func(p payment.Payment) int { e, _ := s.Payment(p.Reference); return e.Accepted },
		Calls: func() int {
			n := s.Counters().Requests
			return n[momentstand.RouteCreate] + n[momentstand.RouteRetrieve]
		},
		Callbacks: func(p payment.Payment, e providertest.Ending) []provider.Inbound {
			return webhooks(t, o, p, e, "")
		},
		Forged: func(p payment.Payment, e providertest.Ending) []provider.Inbound {
			var all []provider.Inbound
			for _, how := range momentstand.Forgeries() {
				all = append(all, webhooks(t, o, p, e, how)...)
			}
			return all
		},
		Secrets: []string{secretKey, newSecret, oldSecret},
	}
}

// webhooks are those that a stand-in of its own sends about a payment like p.
func webhooks(t testing.TB, o momentstand.Options, p payment.Payment, e providertest.Ending, how string) []provider.Inbound {
	t.Helper()
	s := newSandbox(t, o)
	a := newProvider(t, config("http://127.0.0.1:1"), &http.Client{Transport: s.RoundTripper()}, time.Now).Submit(t.Context(), p, "")
	if a.Evidence.Verdict != payment.SaysAccepted {
		t.Fatalf("%+v", a)
	}
	kinds := []string{"updated", "paid"}
	status := "paid"
	switch e {
	case providertest.Open:
		kinds, status = []string{"created", "updated"}, "active"
	case providertest.Failed:
		kinds, status = kinds[:1], "failed"
	}
	var all []provider.Inbound
	for _, kind := range kinds {
		w, err := s.Compose(p.Reference, core.Notice{Kind: kind, Status: status, Forged: how})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, provider.Inbound{Header: w.Header.Get, Body: w.Body, At: time.Now()})
	}
	return all
}

// behave says which behaviours the stand-in has.
func behave(t *testing.T, s *momentstand.Standin, b providertest.Behaviour, stays bool) bool {
	t.Helper()
	fault, routes := map[providertest.Behaviour]core.Fault{
		providertest.Refuses: core.Error400Before, providertest.ResetsBefore: core.ResetBefore, providertest.ResetsAfter: core.ResetAfter,
		providertest.HangsBefore: core.TimeoutBefore, providertest.HangsAfter: core.TimeoutAfter, providertest.Fails: core.Error503Before,
		providertest.FailsAfter: core.Error500After, providertest.Nonsense: core.HTML200Before, providertest.Truncates: core.Truncated,
		providertest.Endless: core.Endless, providertest.Forgets: core.Error404Before, providertest.NobodyHome: core.HTML404Before,
		providertest.StrangeWord: momentstand.UnknownStatus, providertest.OtherPayment: momentstand.OtherRequest,
		providertest.RefusesCredentials: core.Error401Before, providertest.Echoes: core.EchoBefore,
	}[b], []string{momentstand.RouteCreate, momentstand.RouteRetrieve}
	switch {
	case b == providertest.Works:
		return true
	case fault == "":
		return false
	case b == providertest.StrangeWord || b == providertest.OtherPayment:
		routes = routes[1:]
	}
	times := 1
	if stays {
		times = 0
	}
	for _, route := range routes {
		if err := s.AddRule(core.Rule{Route: route, Fault: fault, Times: times}); err != nil {
			t.Fatal(err)
		}
	}
	return true
}
