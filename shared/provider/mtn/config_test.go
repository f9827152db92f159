package mtn_test

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
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*mtn.Config)
		faults []string // a piece of each
	}{
		{"good", func(*mtn.Config) {}, nil},
		{"https", func(c *mtn.Config) { c.BaseURL = "https://sandbox.momodeveloper.mtn.com/" }, nil},
		{"sandbox with its own currency", func(c *mtn.Config) { c.Currency = "" }, nil},
		{"ipv6 loopback", func(c *mtn.Config) { c.BaseURL = "http://[::1]:8081" }, nil},
		{"eswatini", func(c *mtn.Config) { c.BaseURL, c.TargetEnvironment = "https://proxy.momoapi.mtn.com", "mtnswaziland" }, nil},
		{"empty", func(c *mtn.Config) { *c = mtn.Config{} }, []string{
			"target environment is missing", "base URL is missing", "API user is missing", "API key is missing", "subscription key is missing"}},
		{"unknown environment", func(c *mtn.Config) { c.BaseURL, c.TargetEnvironment = "https://x.example", "mtneswatini" },
			[]string{`"mtneswatini" is unknown; known are mtnbenin, mtncameroon`}},
		{"other currency in production", func(c *mtn.Config) {
			c.BaseURL, c.TargetEnvironment, c.Currency = "https://x.example", "mtnghana", "SZL"
		},
			[]string{"currency SZL is not GHS"}},
		{"unknown currency", func(c *mtn.Config) { c.Currency = "szl" }, []string{`currency "szl" is unknown`}},
		{"http", func(c *mtn.Config) { c.BaseURL = "http://sandbox.momodeveloper.mtn.com" }, []string{"must be https"}},
		{"http loopback in production", func(c *mtn.Config) { c.TargetEnvironment = "mtnswaziland" }, []string{"must be https"}},
		{"other scheme", func(c *mtn.Config) { c.BaseURL = "ftp://localhost" }, []string{"must be https"}},
		{"no URL", func(c *mtn.Config) { c.BaseURL = "sandbox.momodeveloper.mtn.com" }, []string{"not an absolute URL"}},
		{"no host", func(c *mtn.Config) { c.BaseURL = "https://:443" }, []string{"not an absolute URL"}},
		{"credentials in URL", func(c *mtn.Config) { c.BaseURL = "https://u:p@x.example" }, []string{"must not hold credentials"}},
		{"query", func(c *mtn.Config) { c.BaseURL = "https://x.example?subscription-key=1" }, []string{"query"}},
		{"pasted line break", func(c *mtn.Config) { c.APIKey += "\n"; c.SubscriptionKey = " " + c.SubscriptionKey },
			[]string{"API key has a character", "subscription key has a character"}},
		{"colon in user", func(c *mtn.Config) { c.APIUser = "a:b" }, []string{"API user has a character"}},
		{"long key", func(c *mtn.Config) { c.APIKey = strings.Repeat("k", 201) }, []string{"API key is longer"}},
		{"bounds", func(c *mtn.Config) { c.Attempts, c.AttemptTimeout = 6, 2*time.Minute }, []string{"attempts must", "attempt timeout must"}},
		{"questions", func(c *mtn.Config) { c.StatusPerSecond = 151 }, []string{"status questions must"}},
		{"negative questions", func(c *mtn.Config) { c.StatusPerSecond = -1 }, []string{"status questions must"}},
		{"negative", func(c *mtn.Config) { c.Attempts, c.AttemptTimeout = -1, -1 }, []string{"attempts must", "attempt timeout must"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := config("http://127.0.0.1:1")
			c.change(&cfg)
			err := cfg.Validate()
			var got []string
			if err != nil {
				if !errors.Is(err, mtn.ErrConfig) {
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
			if err != nil && (strings.Contains(err.Error(), apiKey) || strings.Contains(err.Error(), subscriptionKey)) {
				t.Errorf("a fault shows a key: %v", err)
			}
			if _, newErr := mtn.New(cfg, providertest.NewMemoryTokens(nil), nil, nil); (newErr == nil) != (err == nil) {
				t.Errorf("New: %v, Validate: %v", newErr, err)
			}
		})
	}
}

func TestConfigShowsNoKeys(t *testing.T) {
	t.Parallel()
	cfg := config("https://x.example")
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("config", "mtn", cfg)
	all := fmt.Sprintf("%v %+v %#v %s %v", cfg, cfg, cfg, cfg, &cfg) + string(text) + log.String()
	for _, secret := range []string{apiKey, subscriptionKey} {
		if strings.Contains(all, secret) {
			t.Errorf("shows a key: %s", all)
		}
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	type facts struct {
		Currency   string
		Plan       payment.NumberPlan
		Production bool
	}
	want := map[string]facts{
		"sandbox":          {"EUR", payment.PlanAnyMarket, false},
		"mtnswaziland":     {"SZL", payment.PlanEswatini, true},
		"mtnuganda":        {"UGX", "UG", true},
		"mtnghana":         {"GHS", "GH", true},
		"mtnivorycoast":    {"XOF", "CI", true},
		"mtnzambia":        {"ZMW", "ZM", true},
		"mtncameroon":      {"XAF", "CM", true},
		"mtnbenin":         {"XOF", "BJ", true},
		"mtncongo":         {"XAF", "CG", true},
		"mtnguineaconakry": {"GNF", "GN", true},
		"mtnsouthafrica":   {"ZAR", payment.PlanSouthAfrica, true},
		"mtnliberia":       {"LRD", "LR", true},
		"mtnrwanda":        {"RWF", "RW", true},
		"mtnnigeria":       {"NGN", "NG", true},
		"mtnsouthsudan":    {"SSP", "SS", true},
	}
	got := map[string]facts{}
	for env := range want {
		cfg := config("https://x.example")
		cfg.TargetEnvironment, cfg.Currency = env, ""
		c := newProviderWith(t, cfg, nil, nil, time.Now).Capabilities()
		got[env] = facts{c.Currency, c.Plan, c.Production}
		wantPolicy := payment.Policy{
			FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, LateInterval: 24 * time.Hour,
			GiveUp: 168 * time.Hour, NotFoundGrace: 2 * time.Minute, NotFoundSpacing: 30 * time.Second,
			Failures: c.Methods[0].Policy.Failures, // failures_test.go holds them
		}
		wantMethod := provider.Method{Policy: wantPolicy, MinPollInterval: 5 * time.Second, NeedsPayer: true}
		if c.Name != "mtn" || len(c.Methods) != 1 || !cmp.Equal(c.Methods[0], wantMethod) || c.Statuses != (provider.Limit{Every: 125 * time.Millisecond}) {
			t.Errorf("capabilities: %+v", c)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	cfg := config("https://x.example")
	if c := newProviderWith(t, cfg, nil, nil, time.Now).Capabilities(); c.Currency != "SZL" {
		t.Errorf("the sandbox's currency cannot be changed: %s", c.Currency)
	}
}

// The account's own limit of status questions spaces them, a quarter wider.
func TestStatusLimitOfTheAccount(t *testing.T) {
	t.Parallel()
	for perSecond, every := range map[int]time.Duration{0: 125 * time.Millisecond, 10: 125 * time.Millisecond, 50: 25 * time.Millisecond} {
		cfg := config("https://x.example")
		cfg.StatusPerSecond = perSecond
		want := provider.Limit{Every: every}
		if got := newProviderWith(t, cfg, nil, nil, time.Now).Capabilities().Statuses; got != want {
			t.Errorf("%d a second: %+v, want %+v", perSecond, got, want)
		}
	}
}
