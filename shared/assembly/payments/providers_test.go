package payments

import (
	"errors"
	"io"
	"log/slog"
	"testing"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/table/memory"
)

func TestTrustIsRefusedWhereMoneyMoves(t *testing.T) {
	t.Parallel()
	account := func(name string, values map[string]string) provider.Account { return provider.NewAccount(name, values) }
	mtn := func(target string) provider.Account {
		return account("mtn", map[string]string{"MTN_BASE_URL": "https://mtn.example.com", "MTN_TARGET_ENV": target,
			"MTN_API_USER": "user", "MTN_API_KEY": "key", "MTN_SUBSCRIPTION_KEY": "key"})
	}
	for name, c := range map[string]struct {
		account provider.Account
		allowed bool
	}{
		"sandbox": {mtn("sandbox"), true}, "mtnswaziland": {mtn("mtnswaziland"), false}, "mtnuganda": {mtn("mtnuganda"), false},
		"test mode": {account("mom-factura", map[string]string{"MOMFACTURA_TEST_MODE": "true", "MOMFACTURA_API_KEY": "k", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789abcdef"}), true},
		"earnest":   {account("mom-factura", map[string]string{"MOMFACTURA_API_KEY": "k", "MOMFACTURA_WEBHOOK_TOKEN": "0123456789abcdef"}), false},
	} {
		_, err := Providers(assembly.Parts{
			Config: config.Config{CallbackPolicy: config.Trust}, Providers: providers.All(), Accounts: []provider.Account{c.account},
			Ledger: ledger.New(memory.New(), nil, ledger.Options{}), Host: host.Machine(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if c.allowed != (err == nil) || !c.allowed && !errors.Is(err, config.ErrTrusted) {
			t.Errorf("trust with %s: %v", name, err)
		}
	}
}
