package momentpay_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momentpay"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*momentpay.Config)
		faults []string // a piece of each
	}{
		{"good", func(*momentpay.Config) {}, nil},
		{"live", func(c *momentpay.Config) { c.BaseURL, c.SecretKey = "https://api.momentco.io/", "sk_0123" }, nil},
		{"one secret", func(c *momentpay.Config) { c.WebhookSecrets = c.WebhookSecrets[:1] }, nil},
		{"empty", func(c *momentpay.Config) { *c = momentpay.Config{} }, []string{"base URL is missing", "secret key is missing", "0 webhook secrets"}},
		{"plain http with a live key", func(c *momentpay.Config) { c.SecretKey = "sk_0123" }, []string{"must be https"}},
		{"plain http elsewhere", func(c *momentpay.Config) { c.BaseURL = "http://api.momentco.io" }, []string{"must be https"}},
		{"publishable key", func(c *momentpay.Config) { c.SecretKey, c.BaseURL = "pk_test_1", "https://x.example" }, []string{"does not begin with sk_"}},
		{"pasted line break", func(c *momentpay.Config) { c.SecretKey += "\n" }, []string{"secret key has a character"}},
		{"long key", func(c *momentpay.Config) { c.SecretKey += strings.Repeat("x", 200) }, []string{"longer than 200"}},
		{"bad secret", func(c *momentpay.Config) { c.WebhookSecrets[1] = "whsec_short" }, []string{"webhook secret 2"}},
		{"three secrets", func(c *momentpay.Config) { c.WebhookSecrets = append(c.WebhookSecrets, newSecret) }, []string{"3 webhook secrets"}},
		{"bounds", func(c *momentpay.Config) { c.AttemptTimeout = 2 * time.Minute }, []string{"attempt timeout must"}},
		{"negative", func(c *momentpay.Config) { c.AttemptTimeout = -1 }, []string{"attempt timeout must"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config("http://127.0.0.1:1")
			c.change(&cfg)
			err := cfg.Validate()
			var got []string
			if err != nil {
				if !errors.Is(err, momentpay.ErrConfig) {
					t.Errorf("%v does not wrap ErrConfig", err)
				}
				got = strings.Split(err.Error(), "\n")
			}
			if len(got) != len(c.faults) {
				t.Fatalf("faults %q, want %q", got, c.faults)
			}
			for i, want := range c.faults {
				if !strings.Contains(got[i], want) {
					t.Errorf("fault %q, want %q", got[i], want)
				}
			}
			if _, newErr := momentpay.New(cfg, nil, nil); (newErr == nil) != (err == nil) {
				t.Errorf("New: %v, Validate: %v", newErr, err)
			}
		})
	}
}

func TestConfigShowsNoSecrets(t *testing.T) {
	t.Parallel()
	cfg := config("http://127.0.0.1:1")
	cfg.BaseURL, cfg.WebhookSecrets[1] = "ftp://x", "whsec_thisisnotbase64!"
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "momentpay", cfg)
	all := fmt.Sprintf("%v %+v %#v %s %v %v", cfg, cfg, cfg, cfg, &cfg, cfg.Validate()) + string(text) + log.String()
	for _, secret := range []string{secretKey, newSecret, "thisisnotbase64"} {
		if strings.Contains(all, secret) {
			t.Errorf("shows a secret: %s", all)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	cfg := config("https://api.momentpay.net")
	for _, c := range []struct {
		key  string
		live bool
	}{{secretKey, false}, {"sk_0123456789", true}, {"sk_live_0123", true}} {
		cfg.SecretKey = c.key
		caps := newProvider(t, cfg, nil, nil).Capabilities()
		if caps.Production != c.live {
			t.Errorf("production with %.8s is %t", c.key, caps.Production)
		}
		type method struct {
			Name  string
			Payer bool
		}
		var got []method
		for _, m := range caps.Methods {
			got = append(got, method{m.Name, m.NeedsPayer})
		}
		if diff := cmp.Diff([]method{{"link", false}, {"push", true}}, got); diff != "" {
			t.Error(diff)
		}
		if caps.Name != "momentpay" || caps.Currency != "ZAR" || caps.Plan != payment.PlanSouthAfrica || caps.DefaultMethod != "link" {
			t.Errorf("%+v", caps)
		}
	}
	offline := momentpay.Registration.Offline().Capabilities()
	if offline.Name != "momentpay" || len(offline.Methods) != 2 {
		t.Errorf("offline: %+v", offline)
	}
	if a := momentpay.Registration.Offline().Submit(t.Context(), newPayment(), ""); a.Attempted {
		t.Errorf("offline: %+v", a)
	}
}

// TestWindows: our clock ends nothing that can still be paid, or that may
// have been paid by a push whose id we never learned.
func TestWindows(t *testing.T) {
	t.Parallel()
	caps := momentpay.Registration.Offline().Capabilities()
	for name, life := range map[string]time.Duration{"link": 24 * time.Hour, "push": 2 * time.Minute} {
		if pol := caps.Method(name).Policy; pol.Window < life+time.Hour {
			t.Errorf("%s: window %s", name, pol.Window)
		}
	}
	push := caps.Method("push").Policy
	p := newPush()
	p.SubmitDeadline = p.CreatedAt.Add(30 * time.Second)
	a := newProvider(t, config("http://127.0.0.1:1"), nil, func() time.Time { return p.CreatedAt.Add(23 * time.Hour) }).Status(t.Context(), p)
	d := payment.Decide(p, a.Evidence, push)
	if d.Payment.Status != payment.Pending || !d.Payment.Unanswerable || d.Anomaly != payment.AnomalyUnanswerable {
		t.Errorf("%+v", d)
	}
	if a.Attempted || a.Evidence.Verdict != payment.SaysUnanswerable {
		t.Errorf("%+v", a)
	}
}
