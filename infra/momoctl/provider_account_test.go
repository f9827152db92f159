package main

import (
	"bytes"
	"log/slog"
	"slices"
	"testing"

	"momoproxy/infra/testbed"
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/telemetry"
)

// Each provider's account is taken by itself, from the variables of infra/local.
func TestLocalAccounts(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for name, environment := range map[string]map[string]string{
			"": {},
			"mtn": {"MTN_BASE_URL": "http://127.0.0.1:1", "MTN_TARGET_ENV": "sandbox", "MTN_CURRENCY": "SZL", "MTN_API_USER": "6d2f4a1e-3b7c-4f5e-9a8d-0c1b2a3f4e5d",
				"MTN_API_KEY": "key", "MTN_SUBSCRIPTION_KEY": "key"},
			"mom-factura": {"MOMFACTURA_BASE_URL": "http://127.0.0.1:1", "MOMFACTURA_TEST_MODE": "true", "MOMFACTURA_API_KEY": "key", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789012345678901234567890123456789"},
			"momentpay": {"MOMENTPAY_BASE_URL": "http://127.0.0.1:1", "MOMENTPAY_SECRET_KEY": "sk_test_key",
				"MOMENTPAY_WEBHOOK_SECRETS": "whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="},
		} {
			var log bytes.Buffer
			parts := assembly.Parts{Ledger: ledger.New(c.Table, c.Ring, ledger.Options{}), Host: host.Machine(), Log: telemetry.New(&log, slog.LevelWarn), Providers: providers.All()}
			if err := parts.LocalAccounts(func(variable string) string { return environment[variable] }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			g, err := payments.Gateway(parts)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := names(g); name == "" && len(got) > 0 || name != "" && !slices.Equal(got, []string{name}) {
				t.Errorf("%s: %v", name, got)
			}
			s := &session{cli: cli{options: &options{}}}
			for _, r := range providers.All() {
				err := s.checkAccount(r.Name, g)
				if (err == nil) != (r.Name == name) {
					t.Errorf("%s with the account of %q: %v", r.Name, name, err)
				}
				if err != nil {
					contains(t, r.Name, err.Error(), r.Name, r.Names())
				}
			}
		}
		s := &session{cli: cli{options: &options{}}, store: store{stack: &stack{name: "x", outputs: map[string]string{"AccountsPath": "/x/accounts"}}}}
		contains(t, "of a stack", s.checkAccount("momentpay", &gateway.Gateway{}).Error(), "/x/accounts/momentpay, an object by account id of MOMENTPAY_BASE_URL, MOMENTPAY_SECRET_KEY and")
	})
}

func names(g *gateway.Gateway) []string {
	var all []string
	for _, p := range g.Providers {
		all = append(all, p.Capabilities().Name)
	}
	return all
}
