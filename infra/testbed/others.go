package testbed

import (
	"context"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/host"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
)

// The secrets of the accounts with Mom Factura and MomentPay.
const (
	FacturaKey    = "factura-key-5d4c3b2a190807f6e5d4c3b2a1908070"
	FacturaToken  = "factura-token-kq1VZr0mT0yWq2c8"
	MomentKey     = "sk_test_moment-key-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
	MomentSecret  = "whsec_bW9tZW50bW9tZW50bW9tZW50bW9tZW50bW9tZW50bW8="
	MomentSecret2 = "whsec_dGhlIG5leHQgc2VjcmV0IG9mIG1vbWVudHBheSEhISE="
)

// startOthers makes Mom Factura and MomentPay, whose webhooks come in by the
// API's routes.
func (w *World) startOthers(o Options) {
	client := &http.Client{Transport: inbound{w}, Timeout: 5 * time.Second}
	fo := facturastand.Options{Options: core.Options{CallbackURL: PublicURL + "/webhooks/mom-factura/" + FacturaToken, Seed: o.Seed, HTTPClient: client},
		APIKey: FacturaKey}
	if o.MomFactura != nil {
		o.MomFactura(&fo)
	}
	w.Factura = facturastand.New(fo)
	w.t.Cleanup(w.Factura.Close)
	mo := momentstand.Options{Options: core.Options{CallbackURL: PublicURL + "/webhooks/momentpay",
		Seed: o.Seed, HTTPClient: client},
		SecretKey: MomentKey, WebhookSecrets: []string{MomentSecret}}
	if o.MomentPay != nil {
		o.MomentPay(&mo)
	}
	w.Moment = momentstand.New(mo)
	w.t.Cleanup(w.Moment.Close)
}

// others are the adapters of Mom Factura and MomentPay.
// Guarded are accounts as the gateway has them.
func Guarded(g *gateway.Gateway, all ...provider.Provider) (guarded []*guard.Guard) {
	for _, p := range all {
		guarded = append(guarded, guard.New(p, g.Ledger, host.Machine(), g.Log))
	}
	return guarded
}

func (w *World) others() []provider.Provider {
	return []provider.Provider{
		must(momfactura.New(momfactura.Config{
			BaseURL: "https://factura.example.com", APIKey: FacturaKey, WebhookToken: FacturaToken, TestMode: true,
		}, &http.Client{Transport: w.Factura.RoundTripper()}, time.Now))(w.t),
		must(momentpay.New(momentpay.Config{
			BaseURL: "https://moment.example.com", SecretKey: MomentKey, WebhookSecrets: []string{MomentSecret, MomentSecret2},
		}, &http.Client{Transport: w.Moment.RoundTripper()}, time.Now))(w.t),
	}
}

// Webhook posts a webhook as a provider or a forger would.
func (w *World) Webhook(route, token string, header http.Header, body string) Answer {
	w.t.Helper()
	var values []string
	if token != "" {
		values = append(values, token)
	}
	r := Event(route, values...)
	for name := range header {
		r.Headers[strings.ToLower(name)] = header.Get(name)
	}
	r.Headers["content-type"] = "application/json"
	r.Body = body
	return w.Call(context.Background(), r)
}
