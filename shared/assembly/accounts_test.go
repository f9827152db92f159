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

// kept are what a parameter may hold of an account.
var kept = map[string]string{
	"mtn":         `{"MTN_BASE_URL":"https://mtn.example.com","MTN_TARGET_ENV":"mtnswaziland","MTN_API_USER":"u","MTN_API_KEY":"hush","MTN_SUBSCRIPTION_KEY":"hush"}`,
	"new mtn":     `{"MTN_BASE_URL":"https://new.example.com","MTN_TARGET_ENV":"mtnswaziland","MTN_API_USER":"u","MTN_API_KEY":"hush","MTN_SUBSCRIPTION_KEY":"hush"}`,
	"mom-factura": `{"MOMFACTURA_TEST_MODE":false,"MOMFACTURA_API_KEY":"hush","MOMFACTURA_WEBHOOK_TOKEN":"hush"}`,
	"momentpay":   `{"MOMENTPAY_BASE_URL":"https://moment.example.com","MOMENTPAY_SECRET_KEY":"hush","MOMENTPAY_WEBHOOK_SECRETS":["one","two"]}`,
}

// Every provider is optional but one, each account is held to the same rules,
// all faults are reported at once, and none shows a value.
func TestKeptAccounts(t *testing.T) {
	t.Parallel()
	factura, moment := `{"factura-ao":`+kept["mom-factura"]+`}`, `{"momentpay":`+kept["momentpay"]+`}`
	for name, c := range map[string]struct {
		only   string // provider
		kept   map[string]string
		found  string // ids
		faults []string
	}{
		"none":          {faults: []string{"no provider has an account", "/stack/accounts/mtn or /stack/accounts/mom-factura or"}},
		"one":           {kept: map[string]string{"mom-factura": factura}, found: "factura-ao"},
		"two providers": {kept: map[string]string{"mom-factura": factura, "momentpay": moment}, found: "factura-ao momentpay"},
		"two of one": {kept: map[string]string{"mtn": `{"mtn-sz-new":` + kept["new mtn"] + `,"mtn-sz":` + kept["mtn"] + `}`},
			found: "mtn-sz mtn-sz-new"},
		"one of two":      {only: "mom-factura", kept: map[string]string{"mom-factura": factura, "momentpay": moment}, found: "factura-ao"},
		"one that is not": {only: "momentpay", kept: map[string]string{"mom-factura": factura}},
		"without a host": {kept: map[string]string{"momentpay": `{"a":{"MOMENTPAY_SECRET_KEY":"hush","MOMENTPAY_WEBHOOK_SECRETS":["hush"]}}`},
			faults: []string{"/stack/accounts/momentpay: account a: MOMENTPAY_BASE_URL is not set"}},
		"half of each": {kept: map[string]string{"mtn": `{"a":{"MTN_API_KEY":"hush","MTN_STATUS_PER_SECOND":0},"b":{"MTN_BASE_URL":"https://"}}`, "mom-factura": `{"c":{"MOMFACTURA_TEST_MODE":"yes"}}`},
			faults: []string{"account a: MTN_BASE_URL is not set", "MTN_TARGET_ENV is not set", "MTN_STATUS_PER_SECOND must be", "account b: MTN_BASE_URL must be", "MTN_API_KEY is not set",
				"account c: MOMFACTURA_TEST_MODE must be true or false"}},
		// Left out it would move real money.
		"mode not stated": {kept: map[string]string{"mom-factura": `{"a":{"MOMFACTURA_API_KEY":"hush","MOMFACTURA_WEBHOOK_TOKEN":"hush"}}`},
			faults: []string{"account a: MOMFACTURA_TEST_MODE is not set"}},
		"a name that nobody reads": {kept: map[string]string{"mtn": `{"a":` + strings.Replace(kept["mtn"], "MTN_BASE_URL", "MTN_URL", 1) + `}`},
			faults: []string{"MTN_URL is no variable of mtn", "MTN_BASE_URL is not set"}},
		"no ids":    {kept: map[string]string{"mtn": kept["mtn"]}, faults: []string{"/stack/accounts/mtn: not a JSON object by account id"}},
		"no object": {kept: map[string]string{"mtn": `{"a":{"MTN_API_KEY":"hush`}, faults: []string{"/stack/accounts/mtn: not a JSON object by account id"}},
		"no text":   {kept: map[string]string{"mtn": `{"a":{"MTN_API_KEY":{"hush":1}}}`}, faults: []string{"MTN_API_KEY is neither"}},
		"bad id":    {kept: map[string]string{"mtn": `{"Mtn sz":` + kept["mtn"] + `}`}, faults: []string{"account Mtn sz: an id is of"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Parts{Providers: providers.All(), Config: config.Config{Provider: c.only, AccountsPath: "/stack/accounts"}}
			values := map[string]string{}
			for provider, value := range c.kept {
				values["/stack/accounts/"+provider] = value
			}
			err := p.addAccounts(values)
			for _, fault := range c.faults {
				if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), fault) || strings.Contains(err.Error(), "hush") {
					t.Errorf("the error does not say %q: %v", fault, err)
				}
			}
			if len(c.faults) > 0 {
				return
			}
			var found []string
			for _, a := range p.Accounts {
				found = append(found, a.ID)
				if text := fmt.Sprintf("%v %+v %#v %s", a, a, a, p.Accounts); strings.Contains(text, "hush") {
					t.Errorf("printed: %s", text)
				}
			}
			if err != nil || strings.Join(found, " ") != c.found {
				t.Errorf("found %v: %v", found, err)
			}
		})
	}
}

func TestKeptAccountIsWhole(t *testing.T) {
	t.Parallel()
	p := Parts{Providers: providers.All(), Config: config.Config{AccountsPath: "/stack/accounts"}}
	if err := p.addAccounts(map[string]string{"/stack/accounts/momentpay": `{"m":` + kept["momentpay"] + `}`}); err != nil {
		t.Fatal(err)
	}
	a := p.Accounts[0]
	if a.Text("MOMENTPAY_SECRET_KEY") != "hush" || len(a.List("MOMENTPAY_WEBHOOK_SECRETS")) != 2 || a.URL("MOMENTPAY_BASE_URL", "") != "https://moment.example.com" {
		t.Error("the account is not whole")
	}
}

// What a function is to know of accounts is in its environment; the accounts
// are not.
func TestConfiguredNeedsWhereAccountsAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment []string
		fault       string
	}{
		"all":                {[]string{"ACCOUNTS_PATH=/stack/accounts"}, ""},
		"one provider's":     {[]string{"ACCOUNTS_PATH=/stack/accounts", "PROVIDER=momentpay"}, ""},
		"nowhere":            {nil, "ACCOUNTS_PATH is not set"},
		"one that nobody is": {[]string{"ACCOUNTS_PATH=/stack/accounts", "PROVIDER=visa"}, `PROVIDER "visa" is not known`},
	} {
		_, err := Configured(environment(append(c.environment, "PUBLIC_BASE_URL=https://pay.example.com")...), config.Provider, providers.All()...)
		if (err == nil) != (c.fault == "") || err != nil && (!errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One call fetches ten secrets at the most.
func TestAllSecretsFitOneCall(t *testing.T) {
	t.Parallel()
	names, _ := Parts{Providers: providers.All()}.kept()
	payouts, _ := Parts{Providers: providers.All()}.keptPayouts()
	if n := len(names) + len(payouts) + len([]string{"sealing keys", "payer key"}); n > 10 {
		t.Errorf("%d secrets", n)
	}
}

func TestAccountsFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.json")
	for text, says := range map[string]string{
		`{"mtn":{"mtn-sz":` + kept["mtn"] + `}}`:                                                     "",
		`{"mtn":{"mtn-sz":` + strings.Replace(kept["mtn"], "MTN_BASE_URL", "MTN_CURRENCY", 1) + `}}`: "mtn: account mtn-sz: MTN_BASE_URL is not set",
		`{"visa":{}}`: `provider "visa" is not known`,
		`[]`:          "not a JSON object",
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

// Payout accounts lie apart, and only a provider with a refund call has any.
func TestPayoutAccounts(t *testing.T) {
	t.Parallel()
	object := `{"MTN_DISBURSEMENT_BASE_URL":"https://mtn.example.com","MTN_DISBURSEMENT_TARGET_ENV":"mtnswaziland","MTN_DISBURSEMENT_API_USER":"u","MTN_DISBURSEMENT_API_KEY":"hush","MTN_DISBURSEMENT_SUBSCRIPTION_KEY":"hush"}`
	p := Parts{Providers: providers.All(), Config: config.Config{PayoutsPath: "/stack/payouts"}}
	names, payers := p.keptPayouts()
	if strings.Join(names, " ") != "/stack/payouts/mtn" {
		t.Errorf("kept as %v", names)
	}
	all, err := readKept(map[string]string{"/stack/payouts/mtn": `{"mtn-sz":` + object + `}`}, names, payers)
	if err != nil || len(all) != 1 || all[0].ID != "mtn-sz" || strings.Contains(fmt.Sprintf("%+v", all), "hush") {
		t.Errorf("%v %v", all, err)
	}
	if _, err := readKept(map[string]string{"/stack/payouts/mtn": `{"mtn-sz":` + kept["mtn"] + `}`}, names, payers); err == nil || !strings.Contains(err.Error(), "MTN_API_KEY is no variable of mtn") {
		t.Errorf("credentials that collect are taken: %v", err)
	}
	file := filepath.Join(t.TempDir(), "payouts.json")
	for text, says := range map[string]string{
		`{"mtn":{"mtn-sz":` + object + `}}`:             "",
		`{"momentpay":{"m":` + kept["momentpay"] + `}}`: `provider "momentpay" is not known, or not with such accounts`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := Parts{Providers: providers.All()}
		err := p.LocalAccounts(environment("PAYOUTS_FILE=" + file))
		if says == "" && (err != nil || len(p.Payouts) != 1 || len(p.Accounts) != 0) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, %v", text, p.Payouts, err)
		}
	}
}
