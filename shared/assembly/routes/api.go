// Package routes builds the handlers of the HTTP routes that need a provider. It
// stands apart from assembly so that a function which serves none, the
// reconciler or the forwarder, does not link them.
package routes

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/gateway"
	"momoproxy/shared/httpapi"
)

// API builds the handlers of all routes, for a program that serves them all.
func API(p assembly.Parts) (*httpapi.API, error) {
	g, err := payments.Gateway(p)
	if err != nil {
		return nil, err
	}
	refunds, err := payments.Refunds(p)
	if err != nil {
		return nil, err
	}
	return Over(p, g, refunds), nil
}

// Over builds the handlers of all routes over use cases that are built already.
func Over(p assembly.Parts, g *gateway.Gateway, r *gateway.Refunds) *httpapi.API {
	apps := httpapi.NewApps(p.Ledger, p.Host, p.Log)
	return &httpapi.API{
		Apps:        apps,
		Collection:  &httpapi.Collection{Apps: apps, Gateway: g},
		Refunds:     &httpapi.Refunds{Apps: apps, Refunds: r},
		SelfService: &httpapi.SelfService{Apps: apps, Doorbell: p.Doorbell(), Sleep: p.Sleep},
		Callbacks:   &httpapi.Callbacks{Base: apps.Base, Gateway: g, Providers: p.Providers},
		Health:      &httpapi.Health{Base: apps.Base, Ledger: p.Ledger, Version: p.Config.Version, QueueCheck: p.QueueCheck},
	}
}

// RequestToPay is the handler of the function of that name.
func RequestToPay(p assembly.Parts) (httpapi.Handler, error) {
	c, err := collection(p)
	if err != nil {
		return nil, err
	}
	return c.RequestToPay(), nil
}

// Status is the handler of the function of that name.
func Status(p assembly.Parts) (httpapi.Handler, error) {
	c, err := collection(p)
	if err != nil {
		return nil, err
	}
	return c.Questions(), nil
}

// Refunds is the handler of the function of that name.
func Refunds(p assembly.Parts) (httpapi.Handler, error) {
	r, err := payments.Refunds(p)
	return (&httpapi.Refunds{Apps: httpapi.NewApps(p.Ledger, p.Host, p.Log), Refunds: r}).Handler(), err
}

func collection(p assembly.Parts) (*httpapi.Collection, error) {
	g, err := payments.Gateway(p)
	return &httpapi.Collection{Apps: httpapi.NewApps(p.Ledger, p.Host, p.Log), Gateway: g}, err
}

// Callbacks builds the handler of a provider's callbacks.
func Callbacks(name string) func(assembly.Parts) (httpapi.Handler, error) {
	return func(p assembly.Parts) (httpapi.Handler, error) {
		g, err := payments.Gateway(p)
		if err != nil {
			return nil, err
		}
		base := &httpapi.Base{Now: p.Now, Log: p.Log}
		return (&httpapi.Callbacks{Base: base, Gateway: g, Providers: p.Providers}).Handler(name), nil
	}
}
