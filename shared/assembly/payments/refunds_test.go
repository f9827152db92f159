package payments

import (
	"io"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/table/memory"
)

// An account that pays out for one that collects must be of its kind: real money
// is not given back for play money.
func TestPayoutsFitTheAccount(t *testing.T) {
	t.Parallel()
	variables := func(prefix, target string) map[string]string {
		v := map[string]string{}
		for name, value := range map[string]string{"BASE_URL": "https://mtn.example.com", "TARGET_ENV": target, "API_USER": "user", "API_KEY": "key", "SUBSCRIPTION_KEY": "key"} {
			v[prefix+name] = value
		}
		return v
	}
	account := func(id string, values map[string]string) provider.Account {
		a := provider.NewAccount("mtn", maps.Clone(values))
		a.ID = id
		return a
	}
	sandbox, live := variables("MTN_DISBURSEMENT_", "sandbox"), variables("MTN_DISBURSEMENT_", "mtnswaziland")
	for name, c := range map[string]struct {
		payouts []provider.Account
		says    string
	}{
		"none":                {nil, ""},
		"the same":            {[]provider.Account{account("mtn", sandbox)}, ""},
		"named otherwise":     {[]provider.Account{account("", sandbox)}, ""},
		"one that is retired": {[]provider.Account{account("mtn-old", live)}, ""},
		"real money":          {[]provider.Account{account("mtn", live)}, "payouts of account mtn: one of it and the account that collects moves real money"},
		"another currency":    {[]provider.Account{account("mtn", merged(sandbox, "MTN_DISBURSEMENT_CURRENCY", "SZL"))}, "its currency is SZL"},
		"half":                {[]provider.Account{account("mtn", merged(sandbox, "MTN_DISBURSEMENT_API_KEY", ""))}, "MTN_DISBURSEMENT_API_KEY is not set"},
		"two":                 {[]provider.Account{account("mtn", sandbox), account("", sandbox)}, "two of this name"},
	} {
		refunders, err := Refunders(assembly.Parts{
			Config: config.Config{CallbackPolicy: config.Confirm}, Providers: providers.All(),
			Accounts: []provider.Account{account("mtn", variables("MTN_", "sandbox"))}, Payouts: c.payouts,
			Ledger: ledger.New(memory.New(), nil, ledger.Options{}), Host: host.Machine(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if c.says == "" && (err != nil || len(refunders) != len(c.payouts)) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, %v", name, refunders, err)
		}
	}
}

func merged(m map[string]string, name, value string) map[string]string {
	m = maps.Clone(m)
	m[name] = value
	return m
}
