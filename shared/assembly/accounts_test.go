package assembly

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
)

// environment is getenv over pairs such as "NAME=value".
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if n, value, _ := strings.Cut(pair, "="); n == name {
				return value
			}
		}
		return ""
	}
}

// Every provider is optional but one, and all faults are reported at once.
func TestDeployedAccounts(t *testing.T) {
	t.Parallel()
	factura, moment := "MOMFACTURA_SECRET_ID=/stack/mom-factura", "MOMENTPAY_SECRET_ID=/stack/momentpay"
	for name, c := range map[string]struct {
		env    []string
		found  string // names of the providers
		faults []string
	}{
		"none":               {faults: []string{"no provider is configured", "MTN_SECRET_ID", "MOMENTPAY_SECRET_ID"}},
		"one":                {env: []string{factura}, found: "mom-factura"},
		"two":                {env: []string{factura, moment, "MOMENTPAY_BASE_URL=https://moment.example.com/"}, found: "mom-factura momentpay"},
		"without its host":   {env: []string{moment}, faults: []string{"MOMENTPAY_BASE_URL is not set"}},
		"half of one":        {env: []string{"MTN_SECRET_ID=/stack/mtn"}, faults: []string{"MTN_BASE_URL is not set", "MTN_TARGET_ENV is not set"}},
		"the other half":     {env: []string{"MTN_CURRENCY=SZL"}, faults: []string{"MTN_SECRET_ID is not set", "MTN_BASE_URL is not set"}},
		"nonsense":           {env: []string{factura, moment, "MOMFACTURA_TEST_MODE=yes", "MOMFACTURA_BASE_URL=factura", "MOMENTPAY_BASE_URL=/a"}, faults: []string{"MOMFACTURA_TEST_MODE must be true or false", "MOMFACTURA_BASE_URL must be", "MOMENTPAY_BASE_URL must be"}},
		"a number":           {env: []string{"MTN_STATUS_PER_SECOND=0", "MTN_BASE_URL=https://", "MTN_TARGET_ENV=sandbox"}, faults: []string{"MTN_STATUS_PER_SECOND must be", "MTN_BASE_URL must be"}},
		"one of two":         {env: []string{factura, moment, "PROVIDER=mom-factura"}, found: "mom-factura"},
		"one that is not":    {env: []string{factura, "PROVIDER=momentpay"}},
		"one that nobody is": {env: []string{factura, "PROVIDER=visa"}, faults: []string{`PROVIDER "visa" is not known`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			get := environment(c.env...)
			p := Parts{Providers: providers.All(), Config: config.Config{Provider: get("PROVIDER")}}
			err := p.deployedAccounts(get)
			for _, fault := range c.faults {
				if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), fault) {
					t.Errorf("the error does not say %q: %v", fault, err)
				}
			}
			if len(c.faults) > 0 {
				return
			}
			var found []string
			for _, a := range p.Accounts {
				found = append(found, a.Provider)
			}
			if err != nil || strings.Join(found, " ") != c.found {
				t.Errorf("found %v: %v", found, err)
			}
		})
	}
}

// Credentials reach their account, and show in no message and no printed form.
func TestAddCredentials(t *testing.T) {
	t.Parallel()
	p := Parts{Providers: providers.All()}
	if err := p.deployedAccounts(environment("MOMENTPAY_SECRET_ID=/stack/m", "MOMENTPAY_BASE_URL=https://moment.example.com")); err != nil {
		t.Fatal(err)
	}
	if err := p.addCredentials(map[string]string{"/stack/m": `{"MOMENTPAY_SECRET_KEY":"hush`}); err == nil || !strings.Contains(err.Error(), "/stack/m") || strings.Contains(err.Error(), "hush") {
		t.Errorf("of what is no object: %v", err)
	}
	if err := p.addCredentials(map[string]string{"/stack/m": `{"MOMENTPAY_SECRET_KEY":"hush","MOMENTPAY_WEBHOOK_SECRETS":["one","two"]}`}); err != nil {
		t.Fatal(err)
	}
	a := p.Accounts[0]
	if a.Text("MOMENTPAY_SECRET_KEY") != "hush" || len(a.List("MOMENTPAY_WEBHOOK_SECRETS")) != 2 || a.URL("MOMENTPAY_BASE_URL", "") == "" {
		t.Error("the account is not whole")
	}
	if text := fmt.Sprintf("%v %+v %#v %s", a, a, a, p.Accounts); strings.Contains(text, "hush") {
		t.Errorf("printed: %s", text)
	}
}

// A parameter or a file may hold several accounts by their ids.
func TestSeveralAccounts(t *testing.T) {
	t.Parallel()
	p := Parts{Providers: providers.All()}
	if err := p.deployedAccounts(environment("MTN_SECRET_ID=/stack/mtn", "MTN_BASE_URL=https://old.example.com", "MTN_TARGET_ENV=mtnswaziland")); err != nil {
		t.Fatal(err)
	}
	const account = `{"MTN_API_USER":"u","MTN_API_KEY":"hush","MTN_SUBSCRIPTION_KEY":"hush"`
	both := `{"mtn-sz":` + account + `},"mtn-sz-new":` + account + `,"MTN_BASE_URL":"https://new.example.com"}}`
	if err := p.addCredentials(map[string]string{"/stack/mtn": both}); err != nil {
		t.Fatal(err)
	}
	if len(p.Accounts) != 2 || p.Accounts[0].ID != "mtn-sz" || p.Accounts[1].ID != "mtn-sz-new" ||
		p.Accounts[0].URL("MTN_BASE_URL", "") != "https://old.example.com" || p.Accounts[1].URL("MTN_BASE_URL", "") != "https://new.example.com" ||
		p.Accounts[1].Text("MTN_TARGET_ENV") != "mtnswaziland" {
		t.Errorf("accounts: %+v", p.Accounts)
	}
	file := filepath.Join(t.TempDir(), "accounts.json")
	for text, says := range map[string]string{
		`{"mtn":{"mtn-sz":` + account + `,"MTN_BASE_URL":"https://a.example.com","MTN_TARGET_ENV":"mtnswaziland"}}}`: "",
		`{"mtn":{"mtn-sz":` + account + `}}}`: "account mtn-sz: MTN_BASE_URL is not set",
		`{"visa":{}}`:                         `provider "visa" is not known`,
		`{"mtn":{"Mtn sz":{}}}`:               "an id is of",
		`[]`:                                  "not a JSON object",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := Parts{Providers: providers.All()}
		err := p.LocalAccounts(environment("ACCOUNTS_FILE=" + file))
		if says == "" && (err != nil || len(p.Accounts) != 1 || p.Accounts[0].ID != "mtn-sz") || says != "" && (err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%s: %v, %v", text, p.Accounts, err)
		}
	}
}
