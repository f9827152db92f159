// Package payments builds the use cases about payments, with the adapters of
// the providers. It stands apart from assembly so that a function which asks
// no provider, the forwarder, does not link them.
package payments

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/provider"
)

// Gateway builds the use cases over the configured accounts.
func Gateway(p assembly.Parts) (*gateway.Gateway, error) {
	providers, err := Providers(p)
	if err != nil {
		return nil, err
	}
	return Over(p, providers), nil
}

// Over builds the use cases over providers that are built already.
func Over(p assembly.Parts, providers []provider.Provider) *gateway.Gateway {
	guarded := make([]*guard.Guard, len(providers))
	for i, prov := range providers {
		guarded[i] = guard.New(prov, p.Ledger, p.Host, p.Log)
	}
	return &gateway.Gateway{
		Ledger:         p.Ledger,
		Providers:      guarded,
		Doorbell:       p.Doorbell(),
		PublicBaseURL:  p.Config.PublicBaseURL,
		TrustCallbacks: p.Config.CallbackPolicy == config.Trust,
		CheckURL:       checkURL(p, providers),
		Now:            p.Now,
		Random:         p.Random,
		Log:            p.Log,
		Parallel:       p.Parallel,
	}
}
