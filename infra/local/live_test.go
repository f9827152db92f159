package main

import (
	"crypto/rand"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"momoproxy"
	"momoproxy/shared/config"
	"momoproxy/shared/ledger"
)

// environments are accounts as a developer or an operator would set them. No
// test asks any of them anything.
var environments = map[string]map[string]string{
	"none": {},
	"mtn test": {"MTN_BASE_URL": "https://127.0.0.1:1", "MTN_TARGET_ENV": "sandbox",
		"MTN_API_USER": "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b", "MTN_API_KEY": "key", "MTN_SUBSCRIPTION_KEY": "key"},
	"mtn real": {"MTN_BASE_URL": "https://127.0.0.1:1", "MTN_TARGET_ENV": "mtnswaziland",
		"MTN_API_USER": "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b", "MTN_API_KEY": "key", "MTN_SUBSCRIPTION_KEY": "key"},
	"mom-factura test": {"MOMFACTURA_BASE_URL": "https://127.0.0.1:1", "MOMFACTURA_API_KEY": "key", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789012345678901234567890123456789", "MOMFACTURA_TEST_MODE": "true"},
	// Unset means production.
	"mom-factura real": {"MOMFACTURA_BASE_URL": "https://127.0.0.1:1", "MOMFACTURA_API_KEY": "key", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789012345678901234567890123456789"},
	"momentpay test": {"MOMENTPAY_BASE_URL": "https://127.0.0.1:1", "MOMENTPAY_SECRET_KEY": "sk_test_key",
		"MOMENTPAY_WEBHOOK_SECRETS": "whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="},
	"momentpay real": {"MOMENTPAY_BASE_URL": "https://127.0.0.1:1", "MOMENTPAY_SECRET_KEY": "sk_live_key",
		"MOMENTPAY_WEBHOOK_SECRETS": "whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="},
}

// setEnvironment sets these variables and clears every other one of an account.
func setEnvironment(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, name := range []string{"MTN_BASE_URL", "MTN_TARGET_ENV", "MTN_CURRENCY", "MTN_STATUS_PER_SECOND", "MTN_API_USER", "MTN_API_KEY", "MTN_SUBSCRIPTION_KEY",
		"MOMFACTURA_BASE_URL", "MOMFACTURA_TEST_MODE", "MOMFACTURA_API_KEY", "MOMFACTURA_WEBHOOK_TOKEN",
		"MOMENTPAY_BASE_URL", "MOMENTPAY_SECRET_KEY", "MOMENTPAY_WEBHOOK_SECRETS", "PUBLIC_BASE_URL"} {
		t.Setenv(name, variables[name])
	}
}

// tryStart starts the system with nobody at work: the template triggers nothing.
func tryStart(t *testing.T, o options) (*system, error) {
	t.Helper()
	o.listen, o.template = "127.0.0.1:0", momoproxy.Template
	s, err := start(t.Context(), o, io.Discard)
	if err == nil {
		t.Cleanup(s.stop)
	}
	return s, err
}

// combinations are the environments with no, a test or a real account of each
// provider, by the names of what is there.
func combinations() map[string]map[string]string {
	all := map[string]map[string]string{"": {}}
	for _, provider := range []string{"mtn", "mom-factura", "momentpay"} {
		more := maps.Clone(all)
		for name, variables := range all {
			for _, kind := range []string{"test", "real"} {
				account := provider + " " + kind
				both := maps.Clone(variables)
				maps.Copy(both, environments[account])
				more[strings.TrimPrefix(name+", "+account, ", ")] = both
			}
		}
		all = more
	}
	return all
}

// Every environment with every flag that bears on money.
func TestRealMoneyNeedsLive(t *testing.T) {
	for name, variables := range combinations() {
		for _, live := range []bool{false, true} {
			for _, policy := range []config.Policy{config.Confirm, config.Trust} {
				t.Run(strings.Join([]string{name, map[bool]string{true: "live"}[live], string(policy)}, ", "), func(t *testing.T) {
					own, real := name != "", strings.Contains(name, "real")
					variables := maps.Clone(variables)
					variables["PUBLIC_BASE_URL"] = "https://pay.example.com/"
					setEnvironment(t, variables)
					refusal := ""
					switch {
					case live && policy == config.Trust:
						refusal = "-live does not go with -callback-policy trust"
					case live && !own:
						refusal = "no account is configured"
					case real && !live && policy == config.Trust:
						refusal = "trust is refused"
					case real && !live:
						refusal = "moves real money"
					}
					s, err := tryStart(t, options{data: filepath.Join(t.TempDir(), "data"), policy: policy, live: live})
					if refusal != "" {
						if err == nil || !strings.Contains(err.Error(), refusal) {
							t.Fatalf("%v; want %q", err, refusal)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					want := []string{"mtn", "mom-factura", "momentpay"}
					if live {
						want = nil
						for account := range strings.SplitSeq(name, ", ") {
							want = append(want, strings.Fields(account)[0])
						}
					}
					var got []string
					for _, p := range s.providers {
						got = append(got, p.name)
					}
					if !slices.Equal(got, want) {
						t.Errorf("providers %v, want %v", got, want)
					}
					if s.parts.Config.PublicBaseURL != "https://pay.example.com" {
						t.Errorf("callbacks go to %s", s.parts.Config.PublicBaseURL)
					}
					_, clientErr := s.parts.Ledger.Client(t.Context(), demoClientID)
					if live != (clientErr != nil) || live == s.parts.Rules.AllowLoopback || live != (s.app == nil) {
						t.Errorf("live %t: demo client %v, loopback %t", live, clientErr, s.parts.Rules.AllowLoopback)
					}
				})
			}
		}
	}
}

func TestLiveFlags(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{
		{"-live", "-callback-policy", "trust"}, {"-live", "-demo"}, {"-live", "-data", ":memory:"},
	} {
		if _, err := readOptions(arguments, io.Discard); err == nil || !strings.Contains(err.Error(), "-live does not go with") {
			t.Errorf("%v: %v", arguments, err)
		}
	}
	if o, err := readOptions([]string{"-live"}, io.Discard); err != nil || !o.live {
		t.Errorf("%+v %v", o, err)
	}
}

// A folder has real payments or play ones, never both.
func TestFolderKeepsItsMode(t *testing.T) {
	play, real := filepath.Join(t.TempDir(), "play"), filepath.Join(t.TempDir(), "real")
	run := func(data, environment string, live bool) error {
		variables := maps.Clone(environments[environment])
		variables["PUBLIC_BASE_URL"] = "https://pay.example.com"
		setEnvironment(t, variables)
		s, err := tryStart(t, options{data: data, policy: config.Confirm, live: live})
		if err == nil {
			s.stop()
		}
		return err
	}
	for _, c := range []struct {
		data, environment string
		live              bool
		refusal           string
	}{
		{play, "none", false, ""},
		{play, "mtn real", true, "is the demo client cli_demo"},
		{play, "none", false, ""},
		{real, "mtn real", true, ""},
		{real, "mtn real", true, ""},
		{real, "none", false, "are real payments"},
		{real, "mtn test", false, "are real payments"},
	} {
		err := run(c.data, c.environment, c.live)
		if c.refusal == "" && err != nil || c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)) {
			t.Errorf("%s, %s, live %t: %v; want %q", c.data, c.environment, c.live, err, c.refusal)
		}
	}
}

// The published key is nobody's under -live, even if a client has it.
func TestPublishedKeyIsRefusedLive(t *testing.T) {
	variables := maps.Clone(environments["mtn real"])
	variables["PUBLIC_BASE_URL"] = "https://pay.example.com"
	setEnvironment(t, variables)
	o := options{data: filepath.Join(t.TempDir(), "data"), policy: config.Confirm, live: true}
	s, err := tryStart(t, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.parts.Ledger.CreateClient(t.Context(), ledger.Client{ID: "cli_shop", Name: "Shop", Active: true,
		CallbackURL: "https://shop.example.com/momo", APIKey: demoKey, SigningSecrets: []string{"whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="}})
	s.stop()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tryStart(t, o); err == nil || !strings.Contains(err.Error(), "client cli_shop has the published key") {
		t.Error(err)
	}
}

// Tables outlive a folder: their mode is their own.
func TestTablesKeepTheirMode(t *testing.T) {
	engineEnvironment(t)
	for _, c := range []struct {
		first   bool // with -live
		refusal string
	}{{true, "in the tables of -aws are real payments"}, {false, "in the tables of -aws is the demo client"}} {
		o := options{policy: config.Confirm, aws: true, name: "mode-" + strings.ToLower(rand.Text()[:10])}
		for _, live := range []bool{c.first, !c.first} {
			environment := map[string]string{"PUBLIC_BASE_URL": "https://pay.example.com"}
			if live {
				maps.Copy(environment, environments["mtn real"])
			}
			setEnvironment(t, environment)
			o.live, o.data = live, t.TempDir()
			s, err := tryStart(t, o)
			if err == nil {
				s.stop()
			}
			if live == c.first && err != nil || live != c.first && (err == nil || !strings.Contains(err.Error(), c.refusal)) {
				t.Errorf("first live %t, now live %t: %v", c.first, live, err)
			}
		}
	}
}

// The environment is read once, by shared/config: what it refuses, or makes of
// an unset variable, is the same here.
func TestEnvironmentIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		variables map[string]string
		refusal   string
	}{
		"target environment without its address": {map[string]string{"MTN_TARGET_ENV": "sandbox"}, "MTN_BASE_URL is not set"},
		"address without its target environment": {map[string]string{"MTN_BASE_URL": "https://sandbox.momodeveloper.mtn.com"}, "MTN_TARGET_ENV is not set"},
		"key alone":                              {map[string]string{"MOMENTPAY_SECRET_KEY": "sk_test_key"}, "MOMENTPAY_BASE_URL is not set"},
		"test mode that is no word":              {map[string]string{"MOMFACTURA_API_KEY": "key", "MOMFACTURA_TEST_MODE": "yes"}, "MOMFACTURA_TEST_MODE must be true or false"},
		"public address that is none":            {map[string]string{"PUBLIC_BASE_URL": "pay.example.com"}, "PUBLIC_BASE_URL must be an absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, c.variables)
			if _, err := tryStart(t, options{data: ":memory:", policy: config.Confirm}); err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("%v; want %q", err, c.refusal)
			}
		})
	}
}

// Callbacks of real payments, with the secrets in their paths, come over https.
func TestLiveNeedsHTTPS(t *testing.T) {
	for _, address := range []string{"http://127.0.0.1:8080", "http://pay.example.com"} {
		variables := maps.Clone(environments["mtn real"])
		variables["PUBLIC_BASE_URL"] = address
		setEnvironment(t, variables)
		if _, err := tryStart(t, options{data: filepath.Join(t.TempDir(), "data"), policy: config.Confirm, live: true}); err == nil || !strings.Contains(err.Error(), "PUBLIC_BASE_URL must be https") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// As a program: it says why, and ends with 1; with the same environment and
// -live it runs.
func TestLiveAsAProgram(t *testing.T) {
	t.Parallel()
	environment := []string{"PUBLIC_BASE_URL=https://pay.example.com"}
	for name, value := range environments["mtn real"] {
		environment = append(environment, name+"="+value)
	}
	data := filepath.Join(t.TempDir(), "data")
	p := refused(t, environment, "-listen", "127.0.0.1:0", "-data", data)
	if p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(p.printed(), "the account of mtn moves real money: start with -live") {
		t.Errorf("%s: %s", p.cmd.ProcessState, p.printed())
	}
	live := launch(t, environment, "-listen", "127.0.0.1:0", "-data", data, "-live")
	variables := map[string]string{"PROXY_BASE": live.URL, "API_KEY": demoKey, "ORDER": "ORDER-1", "PAYER": "26876123456"}
	if code, body := readCurl(t, "request to pay", variables).run(t); code != 401 {
		t.Errorf("the published key: %d %v", code, body)
	}
	live.end(t, os.Interrupt) // then all that it says has been read
	if printed := live.printed(); !strings.Contains(printed, "LIVE") || strings.Contains(printed, demoKey) || strings.Contains(printed, "mom-factura") {
		t.Error(printed)
	}
}
