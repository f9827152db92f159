// Package health builds the handlers that know no payment. It stands apart
// from assembly/routes so that the function behind them links no provider.
package health

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/httpapi"
)

// API builds what HealthAndUnknownRoutes needs, and nothing that other
// handlers need.
func API(p assembly.Parts) *httpapi.API {
	return &httpapi.API{Ledger: p.Ledger, Now: p.Now, Log: p.Log, Version: p.Config.Version, QueueCheck: p.QueueCheck}
}
