// Package routes builds the handlers of the HTTP routes. It stands apart from
// assembly so that a function which serves none, the reconciler or the
// forwarder, does not link them.
package routes

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
)

// API builds the HTTP handlers.
func API(p assembly.Parts) (*httpapi.API, error) {
	g, err := payments.Gateway(p)
	if err != nil {
		return nil, err
	}
	return Over(p, g), nil
}

// Over builds the HTTP handlers over use cases that are built already.
func Over(p assembly.Parts, g *gateway.Gateway) *httpapi.API {
	return &httpapi.API{
		Providers: p.Providers,
		Gateway:   g, Ledger: p.Ledger, Doorbell: p.Doorbell(),
		Limits: httpapi.NewRateLimit(httpapi.AppPerSecond, httpapi.AppBurst).On(p.Host),
		Now:    p.Now, Log: p.Log, Version: p.Config.Version,
		QueueCheck: p.QueueCheck,
	}
}
