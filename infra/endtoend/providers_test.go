package endtoend

import (
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/webhook"
)

const (
	facturaKey = "mf_test_endtoend-key-3b1c55"
	// facturaToken is the one in the events of mom-factura-webhook.
	facturaToken = "kq1VZr0mT0yWq2c8oE6r3Q"
)

// facturaClock is Mom Factura's, which the test can put forward. What it has
// scheduled runs in real time all the same: webhooks are sent by hand.
type facturaClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *facturaClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *facturaClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// invoiceTakes is so long that no invoice is ready before the test says so.
const invoiceTakes = time.Hour

// patientClient carries the providers' calls. A function may have to start
// first, on a machine that is busy, and Mom Factura calls once.
var patientClient = &http.Client{Timeout: patience}

// startMTN serves the sandbox, whose payers approve at once. This and the
// next two return the account that stands in the provider's parameter.
func (w *world) startMTN(t *testing.T) map[string]any {
	t.Helper()
	times := mtnstand.DefaultTimes()
	times.Approve = 200 * time.Millisecond
	w.sandbox = mtnstand.New(mtnstand.Options{Options: core.Options{Times: times, HTTPClient: patientClient}})
	t.Cleanup(w.sandbox.Close)
	account, err := w.sandbox.Provision(mtnstand.Account{CallbackHost: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, w.sandbox.Handler())
	w.payouts = account.PayoutVariables(url)
	return map[string]any{"MTN_BASE_URL": url, "MTN_TARGET_ENV": "sandbox",
		"MTN_API_USER": account.APIUser, "MTN_API_KEY": account.APIKey, "MTN_SUBSCRIPTION_KEY": account.SubscriptionKey}
}

func (w *world) startMomFactura(t *testing.T, publicURL string) map[string]any {
	t.Helper()
	times := facturastand.DefaultTimes()
	times.Approve, times.Invoice = 100*time.Millisecond, invoiceTakes
	w.factura = facturastand.New(facturastand.Options{Options: core.Options{Now: w.facturaClock.now, Times: times, HTTPClient: patientClient,
		CallbackURL: publicURL + "/webhooks/mom-factura/" + facturaToken},
		APIKey: facturaKey})
	t.Cleanup(w.factura.Close)
	return map[string]any{"MOMFACTURA_BASE_URL": serve(t, w.factura.Handler()), "MOMFACTURA_TEST_MODE": true, "MOMFACTURA_API_KEY": facturaKey, "MOMFACTURA_WEBHOOK_TOKEN": facturaToken}
}

// startMomentPay serves the stand-in, whose payers do what the test says.
func (w *world) startMomentPay(t *testing.T, publicURL string) map[string]any {
	t.Helper()
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := "sk_test_" + rand.Text()
	w.moment = momentstand.New(momentstand.Options{Options: core.Options{CallbackURL: publicURL + "/webhooks/momentpay",
		HTTPClient: patientClient},
		SecretKey: key, WebhookSecrets: []string{secret.Reveal()}, Manual: true})
	t.Cleanup(w.moment.Close)
	return map[string]any{"MOMENTPAY_BASE_URL": serve(t, w.moment.Handler()), "MOMENTPAY_SECRET_KEY": key, "MOMENTPAY_WEBHOOK_SECRETS": []string{secret.Reveal()}}
}
