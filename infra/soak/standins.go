package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/webhook"
)

// standIn is one provider.
type standIn struct {
	name, url string
	faults    []rule
	clear     func() // of all faults
	close     func()
}

// entry is what a provider's books say of one payment.
type entry struct {
	provider    string
	submissions int // requests that could have made it
	made        int // times it was made
	charges     int // times money moved
	ended       bool
	status      string
	since       time.Time // of status, as far as known
	invoiced    bool
}

// startProviders makes the three accounts, and tells the local system where
// they are.
func (w *world) startProviders() error {
	secret, err := webhook.NewSecret(rand.Reader)
	if err != nil {
		return err
	}
	token, key := rand.Text(), "sk_test_"+rand.Text()

	times := sandbox.DefaultTimes()
	times.Approve, times.Slow, times.Late, times.Repeat = 300*time.Millisecond, 3*time.Second, 5*time.Second, 5*time.Second
	times.Lag, times.Ongoing, times.Expire = 3*time.Second, 5*time.Second, 20*time.Second
	w.mtn = sandbox.New(sandbox.Options{Times: times})
	account, err := w.mtn.Provision(sandbox.MTNAccount{Currency: currency, CallbackHost: "localhost"})
	if err != nil {
		return err
	}
	w.factura = facturabox.New(facturabox.Options{
		WebhookURL: "http://" + w.address + "/webhooks/mom-factura/" + token,
		Times: facturabox.Times{
			Approve: 300 * time.Millisecond, Invoice: time.Second, Slow: 3 * time.Second, Late: 5 * time.Second, Repeat: 5 * time.Second,
			Lag: 3 * time.Second, Expire: time.Minute, Due: 72 * time.Hour, Long: 30 * time.Hour,
		},
	})
	w.moment = momentbox.New(momentbox.Options{
		SecretKey: key, WebhookURL: "http://" + w.address + "/webhooks/momentpay", WebhookSecrets: []string{secret.Reveal()},
		Times:          momentbox.Times{Approve: 300 * time.Millisecond, Slow: 3 * time.Second, Late: 5 * time.Second, Repeat: 5 * time.Second},
		WebhookRetries: []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute},
	})
	w.providers = []*standIn{
		{name: "MTN", faults: mtnFaults, clear: w.mtn.ClearRules, close: w.mtn.Close},
		{name: "Mom Factura", faults: facturaFaults, clear: w.factura.ClearRules, close: w.factura.Close},
		{name: "MomentPay", faults: momentFaults, clear: w.moment.ClearRules, close: w.moment.Close},
	}
	for i, h := range []http.Handler{w.mtn.Handler(), w.counted(w.factura.Handler()), w.moment.Handler()} {
		if w.providers[i].url, err = w.serve(h); err != nil {
			return err
		}
	}
	w.environment = []string{
		"MTN_BASE_URL=" + w.providers[0].url, "MTN_TARGET_ENV=" + account.TargetEnvironment, "MTN_CURRENCY=" + account.Currency,
		"MTN_API_USER=" + account.APIUser, "MTN_API_KEY=" + account.APIKey, "MTN_SUBSCRIPTION_KEY=" + account.SubscriptionKey,
		"MOMFACTURA_BASE_URL=" + w.providers[1].url, "MOMFACTURA_TEST_MODE=true", "MOMFACTURA_API_KEY=" + facturabox.DefaultAPIKey, "MOMFACTURA_WEBHOOK_TOKEN=" + token,
		"MOMENTPAY_BASE_URL=" + w.providers[2].url, "MOMENTPAY_SECRET_KEY=" + key, "MOMENTPAY_WEBHOOK_SECRETS=" + secret.Reveal(),
	}
	w.secrets = []string{account.APIKey, account.SubscriptionKey, facturabox.DefaultAPIKey, token, key, secret.Reveal()}
	return nil
}

// counted counts Mom Factura's submissions by their amounts as they come over
// the wire: its books know only of those that it has acted on.
func (w *world) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/payment/") {
			body, _ := io.ReadAll(r.Body) // the stand-in sees what is missing
			var order struct {
				PaymentInfo struct{ Amount json.Number }
			}
			_ = json.Unmarshal(body, &order) // the stand-in refuses what is none
			w.mu.Lock()
			w.submitted[order.PaymentInfo.Amount.String()]++
			w.mu.Unlock()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(rw, r)
	})
}

// entries are the providers' books by our references. What none of our
// payments accounts for is under a name of its own.
func (w *world) entries(ours map[string]ledger.Story) map[string]entry {
	all := map[string]entry{}
	for _, e := range w.mtn.Ledger() {
		all[e.Reference] = entry{provider: "MTN", submissions: e.Asks, made: e.Accepted, charges: e.Charges, ended: e.Ended, status: e.Status, since: e.Since}
	}
	for _, e := range w.moment.Ledger() {
		sum := all[e.Reference]
		all[e.Reference] = entry{
			provider: "MomentPay", submissions: e.Asks, made: e.Requests, charges: sum.charges + e.Charges,
			ended: e.Status != "active", status: e.Status, since: e.Created,
		}
	}
	reference := map[string]string{}
	for r, s := range ours {
		if s.Payment.Provider == momfactura.Name {
			reference[s.Payment.Amount.Decimal()] = r
		}
	}
	at := func(amount string) string {
		if r := reference[amount]; r != "" {
			return r
		}
		return fmt.Sprintf("Mom Factura's payment of %s", amount)
	}
	w.mu.Lock()
	for amount, n := range w.submitted {
		all[at(amount)] = entry{provider: "Mom Factura", submissions: n}
	}
	w.mu.Unlock()
	for _, e := range w.factura.Ledger() {
		sum := all[at(e.Amount)]
		sum.made++
		sum.charges += e.Charges
		sum.status, sum.since, sum.invoiced = e.Status, e.Since, e.InvoiceURL != ""
		switch e.Status {
		case facturabox.Paid, facturabox.Cancelled, facturabox.Expired, facturabox.Failed, facturabox.Rejected:
			sum.ended = true
		}
		all[at(e.Amount)] = sum
	}
	return all
}
