package momfactura_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momfactura"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	good := momfactura.Config{BaseURL: "https://api.momenu.online", APIKey: apiKey, WebhookToken: webhookToken}
	for _, c := range []struct {
		name   string
		change func(*momfactura.Config)
		want   []string // parts of the faults; none: fine
	}{
		{"good", func(*momfactura.Config) {}, nil},
		{"no token", func(c *momfactura.Config) { c.WebhookToken = "" }, nil},
		{"stand-in", func(c *momfactura.Config) { c.BaseURL, c.TestMode = "http://127.0.0.1:8091", true }, nil},
		{"stand-in in production", func(c *momfactura.Config) { c.BaseURL = "http://127.0.0.1:8091" }, []string{"must be https"}},
		{"http elsewhere", func(c *momfactura.Config) { c.BaseURL, c.TestMode = "http://api.momenu.online", true }, []string{"must be https"}},
		{"nothing at all", func(c *momfactura.Config) { *c = momfactura.Config{} }, []string{"base URL is missing", "API key is missing"}},
		{"pasted key", func(c *momfactura.Config) { c.APIKey += "\n" }, []string{"from pasting"}},
		{"long key", func(c *momfactura.Config) { c.APIKey = strings.Repeat("k", 501) }, []string{"500 characters"}},
		{"short token", func(c *momfactura.Config) { c.WebhookToken = "secret" }, []string{"16 to 200"}},
		{"token with a slash", func(c *momfactura.Config) { c.WebhookToken = "abcdefgh/abcdefgh" }, []string{"other than letters"}},
		{"too patient", func(c *momfactura.Config) { c.AttemptTimeout = time.Hour }, []string{"at most a minute"}},
	} {
		cfg := good
		c.change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (c.want == nil) || err != nil && !errors.Is(err, momfactura.ErrConfig) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", c.name, err, part)
			}
		}
		if _, newErr := momfactura.New(cfg, http.DefaultClient, time.Now); (newErr == nil) != (err == nil) {
			t.Errorf("%s: New says %v", c.name, newErr)
		}
		for _, shown := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v %#v", cfg, cfg), slog.AnyValue(cfg).Resolve().String(), fmt.Sprint(err)} {
			for _, secret := range []string{apiKey, cfg.WebhookToken} {
				if secret != "" && strings.Contains(shown, secret) {
					t.Errorf("%s: shows a secret: %s", c.name, shown)
				}
			}
		}
	}
}

// TestLimits: no minute holds more than the provider takes, even were every
// turn used two seconds late.
func TestLimits(t *testing.T) {
	t.Parallel()
	caps := parser(t).Capabilities()
	most := func(every time.Duration, burst int, late time.Duration) int {
		return 1 + burst + int((time.Minute+late)/every)
	}
	submissions := most(caps.Submits.Every, caps.Submits.Burst, 2*time.Second)
	if submissions > 20 {
		t.Errorf("%d submissions in a minute", submissions)
	}
	if n := submissions + most(caps.Statuses.Every, caps.Statuses.Burst, 2*time.Second); n > 100 {
		t.Errorf("%d requests in a minute", n)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	live := parser(t).Capabilities()
	if !live.Production || live.Plan != payment.PlanAngola || live.DefaultMethod != "" {
		t.Errorf("%+v", live)
	}
	test := adapter(t, momfactura.Config{BaseURL: "http://localhost:1", APIKey: apiKey, TestMode: true, NoEkwanza: true}).Capabilities()
	if test.Production || test.Plan != payment.PlanAngola || !test.TestPayer("244900000001") || test.TestPayer("244900000009") || live.TestPayer != nil {
		t.Errorf("%+v", test)
	}
	for _, m := range test.Methods {
		if m.Off != (m.Name == "ekwanza") || m.NeedsPayer != (m.Name != "reference") || !m.Strict {
			t.Errorf("%+v", m)
		}
	}
	if !momfactura.Registration.Offline().Capabilities().Method("mcx").NeedsPayer || momfactura.Registration.Offline().Capabilities().Production {
		t.Error("offline")
	}
}
