package simulation

import (
	"io"
	"net/http"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// party is a provider beside MTN: what the simulation plays of it, and what
// must hold of its payments.
type party struct {
	name     string
	hook     role // the function of its webhooks
	currency string
	stand    interface {
		Ledger() []core.Entry
		Close()
	}
	adapter func(now func() time.Time) provider.Provider
	// order draws a payment of it: what a request names, but for the amount.
	order func(o *order, content map[string]any, odd bool) (named bool)
	// ask looks at a request that leaves, and says what answers it.
	ask func(q question) func(*http.Request) (*http.Response, error)
	// shown is a text of its as it leaves it; nil: unchanged.
	shown func(text string) string
	forge func(p ledger.Payment)
	truth func(reference string) truth
	// native reads an event in its own form: its word for it, and whether the
	// payment is the one it names.
	native func(p ledger.Payment, n nativeBody) (word string, own bool)
	words  map[payment.Event][]string
	ways   map[string]way
	// signs: its webhooks are evidence, and those that are not its own are
	// refused. Else all are answered alike.
	signs bool
	// repeats: sending a request again is the way to ask for its result.
	repeats bool
	// id is the one that questions about a payment need; empty: they need none.
	id      string
	invoice time.Duration // how long after a payment there is an invoice
	count   func(*Stats) *int
}

// way is what holds of the payments of one method.
type way struct {
	window  time.Duration // the age at which our clock may end one; 0: never
	spacing time.Duration // the least time between two questions about one
	// id is the one without which nobody can ask about one.
	id string
	// decided: the answer to the request is the outcome, and nobody can ask
	// for it later.
	decided bool
	waits   bool // its payer waits before a page that looks
	link    bool // nobody pays who was not given it
}

// party is a provider by its name; nil: MTN.
func (w *world) party(name string) *party {
	for _, p := range w.parties {
		if p.name == name {
			return p
		}
	}
	return nil
}

// way is that of a payment.
func (w *world) way(p ledger.Payment) way {
	if of := w.party(p.Provider); of != nil {
		return of.ways[p.Method]
	}
	return way{window: 24 * time.Hour}
}

// partyWire is the way from a function to a provider beside MTN.
type partyWire struct {
	w *world
	*party
}

// RoundTrip implements http.RoundTripper.
func (p partyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := p.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reference := referenceOf(r.Context())
	q := question{Request: r, body: body, reference: reference, pay: r.Method == http.MethodPost}
	w.note(p.name, r.Method, r.URL.Path, reference)
	w.checkOwn(p.name, reference)
	q.answer = p.ask(q)
	if q.pay {
		w.asks(reference, string(body))
	}
	return w.exchange(q)
}
