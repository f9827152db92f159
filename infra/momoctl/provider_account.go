package main

import (
	"fmt"
	"strings"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/gateway"
	"momoproxy/shared/provider"
)

func registration(name string) (provider.Registration, bool) {
	return assembly.Parts{Providers: providers.All()}.Registration(name)
}

// auditName stands for PROVIDER in the directions of a payment's audit
// records.
func auditName(name string) string {
	r, _ := registration(name)
	return r.Known.AuditName
}

// offline are all providers without their accounts: payments of each can be
// settled.
func offline() []provider.Provider {
	var all []provider.Provider
	for _, r := range providers.All() {
		all = append(all, r.Offline())
	}
	return all
}

// accountHelp says what an account of each provider is read from.
func accountHelp() string {
	var b strings.Builder
	for _, r := range providers.All() {
		fmt.Fprintf(&b, "\n  %-12s %s", r.Name, r.Names())
	}
	return b.String()
}

// checkAccount says what is missing when a provider cannot be asked.
func (s *session) checkAccount(name string, g *gateway.Gateway) error {
	for _, p := range g.Providers {
		if p.Capabilities().Name == name {
			return nil
		}
	}
	r, _ := registration(name)
	if s.stack != nil {
		return fmt.Errorf("no account of %s to ask with: store one as %s/%s, an object by account id of %s", name, s.stack.outputs["AccountsPath"], name, r.Names())
	}
	return fmt.Errorf("no account of %s to ask with: set %s; the stand-in inside infra/local can be asked by infra/local alone, which does so every two seconds",
		name, r.Names())
}
