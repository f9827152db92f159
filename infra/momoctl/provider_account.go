package main

import (
	"fmt"
	"strings"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/gateway"
)

// localAccounts reads the accounts that infra/local takes from its
// environment, by the same names. Its own stand-ins are not among them: they
// are inside its process, at addresses and with credentials that change with
// each start.
func localAccounts(getenv func(string) string, parts *assembly.Parts) {
	c := &parts.Config
	if url := getenv("MTN_BASE_URL"); url != "" {
		environment := getenv("MTN_TARGET_ENV")
		if environment == "" {
			environment = "sandbox"
		}
		c.MTN = config.MTN{BaseURL: url, TargetEnv: environment, Currency: getenv("MTN_CURRENCY")}
		parts.MTN = assembly.MTNCredentials{
			APIUser: getenv("MTN_API_USER"), APIKey: getenv("MTN_API_KEY"), SubscriptionKey: getenv("MTN_SUBSCRIPTION_KEY"),
		}
	}
	if url := getenv("MOMFACTURA_BASE_URL"); url != "" {
		c.MomFactura = config.MomFactura{
			BaseURL: url, SecretID: "local", TestMode: getenv("MOMFACTURA_TEST_MODE") != "false",
			NoInstantWithdraw: getenv("MOMFACTURA_INSTANT_WITHDRAW") == "false", NoEkwanza: getenv("MOMFACTURA_EKWANZA") == "false",
		}
		parts.MomFactura = assembly.MomFacturaCredentials{APIKey: getenv("MOMFACTURA_API_KEY"), WebhookToken: getenv("MOMFACTURA_WEBHOOK_TOKEN")}
	}
	if url := getenv("MOMENTPAY_BASE_URL"); url != "" {
		c.MomentPay = config.MomentPay{BaseURL: url, SecretID: "local"}
		parts.MomentPay = assembly.MomentPayCredentials{
			SecretKey: getenv("MOMENTPAY_SECRET_KEY"), WebhookSecrets: strings.Fields(getenv("MOMENTPAY_WEBHOOK_SECRETS")),
		}
	}
}

// accountVariables name what a provider's account is read from: over a local
// store, and with --aws.
var accountVariables = map[string]struct{ local, aws string }{
	"mtn": {
		"MTN_BASE_URL, MTN_TARGET_ENV, MTN_CURRENCY, MTN_API_USER, MTN_API_KEY and MTN_SUBSCRIPTION_KEY",
		"MTN_BASE_URL, MTN_TARGET_ENV and MTN_SECRET_ID",
	},
	"mom-factura": {
		"MOMFACTURA_BASE_URL, MOMFACTURA_API_KEY and MOMFACTURA_WEBHOOK_TOKEN", "MOMFACTURA_SECRET_ID",
	},
	"momentpay": {
		"MOMENTPAY_BASE_URL, MOMENTPAY_SECRET_KEY and MOMENTPAY_WEBHOOK_SECRETS", "MOMENTPAY_BASE_URL and MOMENTPAY_SECRET_ID",
	},
}

// checkAccount says what is missing when a provider cannot be asked.
func (s *session) checkAccount(name string, g *gateway.Gateway) error {
	for _, p := range g.Providers {
		if p.Capabilities().Name == name {
			return nil
		}
	}
	if s.aws {
		return fmt.Errorf("no account of %s to ask with: set %s as the functions have them", name, accountVariables[name].aws)
	}
	return fmt.Errorf("no account of %s to ask with: set %s; the stand-in inside infra/local can be asked by infra/local alone, which does so every two seconds",
		name, accountVariables[name].local)
}
