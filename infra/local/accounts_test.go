package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"momoproxy/infra/dotenv"
	"momoproxy/shared/config"
)

// accountsOf writes a file for -accounts: by id, an environment's name.
func accountsOf(t *testing.T, accounts map[string]map[string]string) string {
	t.Helper()
	all := map[string]map[string]map[string]string{}
	for provider, byID := range accounts {
		all[provider] = map[string]map[string]string{}
		for id, environment := range byID {
			all[provider][id] = environments[environment]
		}
	}
	text, err := json.Marshal(all)
	file := filepath.Join(t.TempDir(), "accounts.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A file has several accounts of one provider. What keeps real money and play
// money apart looks at each of them, and no stand-in is beside them.
func TestAccountsFile(t *testing.T) {
	two := map[string]map[string]string{"mtn": {"mtn-one": "mtn test", "mtn-two": "mtn test"}}
	mixed := map[string]map[string]string{"mtn": {"mtn-one": "mtn test", "mtn-two": "mtn real"}}
	for name, c := range map[string]struct {
		accounts    map[string]map[string]string
		environment string
		live        bool
		policy      config.Policy
		refusal     string // empty: it starts, with the accounts of want
		want        []string
	}{
		"play":                 {two, "none", false, config.Trust, "", []string{"mtn-one", "mtn-two", "mom-factura", "momentpay"}},
		"play beside one more": {two, "mtn test", false, config.Confirm, "", []string{"mtn", "mtn-one", "mtn-two", "mom-factura", "momentpay"}},
		"one is real":          {mixed, "none", false, config.Confirm, "account mtn-two of mtn moves real money", nil},
		"one is real, trust":   {mixed, "none", false, config.Trust, "trust is refused", nil},
		"live":                 {mixed, "none", true, config.Confirm, "", []string{"mtn-one", "mtn-two"}},
		"live with trust":      {mixed, "none", true, config.Trust, "-live does not go with", nil},
		"a name twice":         {map[string]map[string]string{"mtn": {"mtn": "mtn test"}}, "mtn test", false, config.Confirm, "two accounts are named mtn", nil},
		"half of one":          {map[string]map[string]string{"mtn": {"mtn-one": "none"}}, "none", false, config.Confirm, "account mtn-one: MTN_BASE_URL is not set", nil},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, environments[c.environment])
			t.Setenv("PUBLIC_BASE_URL", "https://pay.example.com")
			s, err := tryStart(t, options{data: filepath.Join(t.TempDir(), "data"), policy: c.policy, live: c.live, accounts: accountsOf(t, c.accounts)})
			if c.refusal != "" {
				if err == nil || !strings.Contains(err.Error(), c.refusal) {
					t.Fatalf("%v; want %q", err, c.refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range s.parts.Accounts {
				id := a.ID
				if id == "" {
					id = a.Provider
				}
				got = append(got, id)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("accounts %v, want %v", got, c.want)
			}
		})
	}
}

// A .env file in the folder has an account's variables, and the guard of real
// money looks at them, too.
func TestDotenvFile(t *testing.T) {
	for name, refusal := range map[string]string{"mtn test": "", "mtn real": "moves real money"} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, environments["none"])
			t.Chdir(t.TempDir())
			var lines strings.Builder
			for variable, value := range environments[name] {
				lines.WriteString(variable + "=" + value + "\n")
			}
			if err := os.WriteFile(dotenv.File, []byte(lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := tryStart(t, options{data: "data", policy: config.Confirm})
			if refusal != "" {
				if err == nil || !strings.Contains(err.Error(), refusal) {
					t.Errorf("%v; want %q", err, refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(s.providers, func(p providerAt) bool { return p.name == "mtn" }); s.providers[i].url != environments[name]["MTN_BASE_URL"] {
				t.Errorf("asked is %v", s.providers)
			}
		})
	}
}
