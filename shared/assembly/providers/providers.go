// Package providers lists the providers that there are. It stands apart from
// assembly so that a function which knows no provider, the forwarder, does not
// link them.
package providers

import (
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/provider/mtn"
)

// All are the providers, the default first.
func All() []provider.Registration {
	return []provider.Registration{mtn.Registration, momfactura.Registration, momentpay.Registration}
}
