package provider

import (
	"context"
	"net/http"
	"strings"
	"time"

	"momoproxy/shared/host"
)

// Registration is what a provider's folder says about itself. It is listed in
// one line of assembly/providers; nothing else names a provider.
type Registration struct {
	Name  string // as in the API, "mtn"; also in paths and names of parameters
	Title string // as people write it: "MTN"
	// Variables are what an account is made of, by their names in the
	// environment.
	Variables []Variable
	// Known are the capabilities that do not depend on an account.
	Known Capabilities
	// New builds the adapter of an account whose variables are checked.
	New       func(Account, Parts) (Provider, error)
	Callbacks Callbacks
	// Statement reads the provider's file of transactions. Nil: its form is not
	// known, and a mapping file says it.
	Statement *Statement

	// Payouts are the variables of an account that gives money back, and
	// NewRefunder builds its adapter. None and nil: the provider has no refund
	// call. They are kept apart from Variables: few functions read them.
	Payouts     []Variable
	NewRefunder func(Account, Parts) (Refunder, error)
}

// Variable is one setting of an account.
type Variable struct {
	Name     string
	Kind     Kind
	Secret   bool
	Optional bool
	// Beside is a variable that makes no account when it is set alone.
	Beside bool
	// Stated: an account that is kept with others has to say it. Left out it
	// would mean real money.
	Stated bool
}

// Kind is how a variable is written.
type Kind int

const (
	Text   Kind = iota
	URL         // absolute, http or https
	Number      // whole, at least 1
	Flag        // true or false
	List        // texts, separated by spaces; in JSON an array
)

// Callbacks say where a provider's callbacks come in and how they are
// answered.
type Callbacks struct {
	Function string // its folder under functions/
	// Routes are keys such as "POST /webhooks/{provider}". Of their parameters
	// {referenceId} is the payment that the provider was given the address
	// for, and {token} the address's secret part.
	Routes []string
	// SaysWhy: a signature that does not verify, and a fault of ours, are
	// answered as such, because the provider signs and sends again. Else the
	// answer is always the same: it must not help a forger.
	SaysWhy bool
}

// Parts are what an adapter takes from its process.
type Parts struct {
	Host   host.Host
	Client *http.Client // nil: one of the adapter's own
	Tokens TokenStore
	// TokenExchange gets every call that fetches a token; nil: nobody.
	TokenExchange func(context.Context, Exchange)
	// Backoff is the wait before a repeat of a submit, 1 being the first; nil:
	// the adapter's own. It must be safe for concurrent use.
	Backoff func(attempt int) time.Duration
}

// Names lists the variables of an account, for people.
func (r Registration) Names() string {
	var names []string
	for _, v := range r.Variables {
		if !v.Optional {
			names = append(names, v.Name)
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Offline is the provider without an account, for tools that settle payments
// by hand.
func (r Registration) Offline() Provider { return Offline{Known: r.Known} }
