package main

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"momoproxy"
	"momoproxy/shared/config"
)

// A trailing slash of PUBLIC_BASE_URL does not double the one of the callback.
func TestPublicBaseURLWithASlash(t *testing.T) {
	t.Setenv("PUBLIC_BASE_URL", "http://pay.example.test/")
	s := up(t, nil)
	code, text := call(t, "POST", s.gatewayURL+"/request-to-pay", `{"amount":"150.00","externalId":"SLASH-1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`)
	if code != 202 {
		t.Fatalf("%d %s", code, text)
	}
	_, text = call(t, "GET", s.providers[0].url+"/_standin/payments", "")
	var known []struct{ CallbackURL string }
	if err := json.Unmarshal(text, &known); err != nil || len(known) != 1 || !strings.HasPrefix(known[0].CallbackURL, "http://pay.example.test/callback/") {
		t.Errorf("MTN was given %s (%v)", text, err)
	}
}

// Half an account is refused, with what is missing; it is neither ignored nor
// completed by a stand-in. An unset MOMFACTURA_TEST_MODE means real money here
// as it does when deployed.
func TestHalfAnAccountIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		environment map[string]string
		says        string
		live        bool
	}{
		"MTN's environment alone": {map[string]string{"MTN_TARGET_ENV": "sandbox"}, "MTN_BASE_URL is not set", false},
		"MTN's currency alone":    {map[string]string{"MTN_CURRENCY": "SZL"}, "MTN_BASE_URL is not set", false},
		"MTN's key alone":         {map[string]string{"MTN_API_KEY": "k"}, "MTN_BASE_URL is not set", false},
		"MomentPay's key alone":   {map[string]string{"MOMENTPAY_SECRET_KEY": "sk_test_1"}, "MOMENTPAY_BASE_URL is not set", false},
		"test mode unset":         {map[string]string{"MOMFACTURA_API_KEY": "k", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789abcdef0123456789abcdef"}, "mom-factura moves real money", true},
		"test mode false":         {map[string]string{"MOMFACTURA_API_KEY": "k", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789abcdef0123456789abcdef", "MOMFACTURA_TEST_MODE": "false"}, "mom-factura moves real money", true},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.environment {
				t.Setenv(variable, value)
			}
			s, err := start(t.Context(), options{listen: "127.0.0.1:0", data: ":memory:", policy: config.Confirm, template: momoproxy.Template}, io.Discard)
			if err == nil {
				s.stop()
				t.Fatal("it starts")
			}
			if !strings.Contains(err.Error(), c.says) || errors.Is(err, errNeedsLive) != c.live {
				t.Errorf("%v", err)
			}
		})
	}
}
