package main

import (
	"fmt"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/gateway"
)

// localAccounts reads the accounts that infra/local takes from its
// environment, by the same names. Its own stand-ins are not among them: they
// are inside its process, at addresses and with credentials that change with
// each start.
func localAccounts(getenv func(string) string, parts *assembly.Parts) error {
	if !config.LocalAccounts(getenv) {
		return nil
	}
	c, err := config.Read(config.Local(func(name string) string {
		if name == "PUBLIC_BASE_URL" {
			return "http://localhost" // no payment is begun here
		}
		return getenv(name)
	}), config.Provider)
	if err != nil {
		return err
	}
	parts.Config.MTN, parts.Config.MomFactura, parts.Config.MomentPay = c.MTN, c.MomFactura, c.MomentPay
	parts.LocalCredentials(getenv)
	return nil
}

// accountVariables name what a provider's account is read from: over a local
// store, and of a stack.
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
	if s.stack != nil {
		return fmt.Errorf("no account of %s to ask with: the functions of %s have no %s", name, s.stack.name, accountVariables[name].aws)
	}
	return fmt.Errorf("no account of %s to ask with: set %s; the stand-in inside infra/local can be asked by infra/local alone, which does so every two seconds",
		name, accountVariables[name].local)
}
