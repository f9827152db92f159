// Package selfservice builds the handler with which an app looks after its own
// payments. It stands apart from assembly/routes so that the function behind it
// links no provider.
package selfservice

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/httpapi"
)

// Handler serves the routes of the payments function.
func Handler(p assembly.Parts) (httpapi.Handler, error) {
	apps := httpapi.NewApps(p.Ledger, p.Host, p.Log)
	return (&httpapi.SelfService{Apps: apps, Doorbell: p.Doorbell(), Sleep: p.Sleep}).Handler(), nil
}
