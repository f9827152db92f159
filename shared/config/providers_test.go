package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/config"
)

// without is the complete environment less MTN's variables, with others.
func without(more ...string) map[string]string {
	env := complete()
	for name := range env {
		if strings.HasPrefix(name, "MTN_") {
			delete(env, name)
		}
	}
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

func TestEveryProviderIsOptionalButOne(t *testing.T) {
	t.Parallel()
	factura := config.MomFactura{BaseURL: config.DefaultMomFacturaURL, SecretID: "/stack/mom-factura"}
	moment := config.MomentPay{BaseURL: "https://moment.example.com", SecretID: "/stack/momentpay"}
	test, plain := factura, factura
	test.TestMode = true
	plain.NoInstantWithdraw, plain.NoEkwanza, plain.BaseURL = true, true, "https://factura.example.com"
	for name, c := range map[string]struct {
		env     map[string]string
		factura config.MomFactura
		moment  config.MomentPay
		faults  string // of the error, separated by commas; empty: none
	}{
		"none":               {env: without(), faults: "no provider is configured"},
		"Mom Factura":        {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura"), factura: factura},
		"its test mode":      {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "MOMFACTURA_TEST_MODE=true"), factura: test},
		"all of it changed":  {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "MOMFACTURA_INSTANT_WITHDRAW=false", "MOMFACTURA_EKWANZA=false", "MOMFACTURA_BASE_URL=https://factura.example.com/"), factura: plain},
		"MomentPay":          {env: without("MOMENTPAY_SECRET_ID=/stack/momentpay", "MOMENTPAY_BASE_URL=https://moment.example.com/"), moment: moment},
		"without its host":   {env: without("MOMENTPAY_SECRET_ID=/stack/momentpay"), faults: "MOMENTPAY_BASE_URL is not set"},
		"nonsense":           {env: without("MOMFACTURA_SECRET_ID=x", "MOMFACTURA_TEST_MODE=yes", "MOMFACTURA_BASE_URL=factura", "MOMENTPAY_SECRET_ID=x", "MOMENTPAY_BASE_URL=/a"), faults: "MOMFACTURA_TEST_MODE must be true or false,MOMFACTURA_BASE_URL must be,MOMENTPAY_BASE_URL must be"},
		"half of MTN's":      {env: without("MTN_SECRET_ID=/stack/mtn"), faults: "MTN_BASE_URL is not set,MTN_TARGET_ENV is not set"},
		"one of two":         {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "MOMENTPAY_SECRET_ID=x", "PROVIDER=mom-factura"), factura: factura},
		"one that is not":    {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "PROVIDER=momentpay")},
		"nobody":             {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "PROVIDER=visa"), faults: "PROVIDER must be"},
		"trust in test mode": {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "MOMFACTURA_TEST_MODE=true", "CALLBACK_POLICY=trust"), factura: test},
		"trust in earnest":   {env: without("MOMFACTURA_SECRET_ID=/stack/mom-factura", "CALLBACK_POLICY=trust"), faults: "CALLBACK_POLICY trust is refused: Mom Factura without MOMFACTURA_TEST_MODE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(c.env, everything)
			if c.faults == "" {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]any{c.factura, c.moment, config.MTN{}}, []any{got.MomFactura, got.MomentPay, got.MTN}); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if got.MTN.Configured() || got.MomFactura.Configured() != (c.factura.SecretID != "") || got.MomentPay.Configured() != (c.moment.SecretID != "") {
					t.Error("Configured is not what was read")
				}
				return
			}
			for _, fault := range strings.Split(c.faults, ",") {
				if err == nil || !strings.Contains(err.Error(), fault) {
					t.Errorf("the error does not say %q: %v", fault, err)
				}
			}
		})
	}
}
