// Package standin lists the stand-ins of the payment providers. Each is a
// folder with its provider's wire format and scripts; core is what they share.
package standin

import (
	"net/http"

	"momoproxy"
	"momoproxy/infra/loopback"
	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/momentpay"
	"momoproxy/infra/standin/momfactura"
	"momoproxy/infra/standin/mtn"
)

// Standin is what everybody does with any provider's.
type Standin interface {
	Provider() string
	// Variables are those that the product reads an account from, when the
	// stand-in is served at an address.
	Variables(address string) map[string]string
	// PayoutVariables are those of the account that gives money back; none where the
	// provider has no refund call.
	PayoutVariables(address string) map[string]string
	Handler() http.Handler
	// Knows says whether a request takes one of the provider's routes.
	Knows(*http.Request) bool
	RoundTripper() http.RoundTripper
	Keep(path string, report func(error)) error
	Close()
	Reset()

	AddRule(core.Rule) error
	ClearRules()
	SetOutcome(id, outcome, reason string, callback bool) error
	SendCallback(id string, n core.Notice) (core.Sent, error)
	Forgeries() []string
	Faults() []core.FaultMeaning

	Ledger() []core.Entry
	Payment(id string) (core.Entry, bool)
	Charges() []core.Charge
	Counters() core.Counters
}

// Kind is one provider's stand-in.
type Kind struct {
	Name string // the provider's, as the product's configuration has it
	Port int    // where serve listens
	// Times are the waits of its scripts.
	Times core.Times
	// Start makes the account of a system whose public address is given.
	Start func(o core.Options, public string) (Standin, error)
	// Profile is what tools have to know of the provider.
	Profile func() core.Profile
}

// All lists every stand-in.
func All() []Kind {
	return []Kind{
		{mtn.Name, 8090, mtn.DefaultTimes(), start(mtn.Start), mtn.Profile},
		{momfactura.Name, 8091, momfactura.DefaultTimes(), start(momfactura.Start), momfactura.Profile},
		{momentpay.Name, 8092, momentpay.DefaultTimes(), start(momentpay.Start), momentpay.Profile},
	}
}

// Named is one of them by its name; ok is false where there is none.
func Named(provider string) (k Kind, ok bool) {
	for _, k := range All() {
		if k.Name == provider {
			return k, true
		}
	}
	return Kind{}, false
}

func start[S Standin](make func(core.Options, string) (S, error)) func(core.Options, string) (Standin, error) {
	return func(o core.Options, public string) (Standin, error) { return make(o, public) }
}

// Serve answers at an address of this machine, port 0 being a free one, until
// it is stopped.
func Serve(h http.Handler, listen string) (address string, stop func(), err error) {
	return loopback.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "momo-proxy-standin/"+momoproxy.Version)
		h.ServeHTTP(w, r)
	}), listen)
}
