// Package payments builds the use cases about payments, with the adapters of
// the providers. It stands apart from assembly so that a function which asks
// no provider, the forwarder, does not link them.
package payments

import (
	"crypto/rand"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
)

// Gateway builds the use cases.
func Gateway(p assembly.Parts) (*gateway.Gateway, error) {
	providers, err := Providers(p)
	if err != nil {
		return nil, err
	}
	return &gateway.Gateway{
		Ledger:         p.Ledger,
		Providers:      providers,
		Doorbell:       delivery.Doorbell{Queue: p.Queue, Now: p.Now},
		PublicBaseURL:  p.Config.PublicBaseURL,
		TrustCallbacks: p.Config.CallbackPolicy == config.Trust,
		CheckURL:       checkURL(p),
		Now:            p.Now,
		Sleep:          gateway.Pause,
		Random:         rand.Reader,
		Log:            p.Log,
		Workers:        gateway.DefaultWorkers,
	}, nil
}
