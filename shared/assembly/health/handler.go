// Package health builds the handler that knows no payment. It stands apart from
// assembly/routes so that the function behind it links no provider.
package health

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/httpapi"
)

// Handler serves the routes of the health function.
func Handler(p assembly.Parts) (httpapi.Handler, error) {
	return (&httpapi.Health{
		Base:   &httpapi.Base{Now: p.Now, Log: p.Log},
		Ledger: p.Ledger, Version: p.Config.Version, QueueCheck: p.QueueCheck,
	}).Handler(), nil
}
