// Package selfservice builds the handlers with which an app looks after its
// own payments. It stands apart from assembly/routes so that the function
// behind them links no provider.
package selfservice

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/httpapi"
)

// API builds what Payments needs, and nothing that other handlers need.
func API(p assembly.Parts) *httpapi.API {
	return &httpapi.API{
		Ledger: p.Ledger, Doorbell: p.Doorbell(),
		Limits: httpapi.NewRateLimit(httpapi.AppPerSecond, httpapi.AppBurst).On(p.Host),
		Now:    p.Now, Log: p.Log, Version: p.Config.Version,
	}
}
