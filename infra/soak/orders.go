package main

import (
	"fmt"
	"math/rand/v2"

	"momoproxy/infra/standin/core"
)

// order is one request that an app makes, perhaps more than once.
type order struct {
	app             *app
	externalID, key string
	body            []byte
}

// newOrder draws the n-th order of an app. What becomes of it is chosen by the
// payer or by the amount's cents (infra/standin/README.md). Scripts that leave
// a payment open without end, or hold it for an operator, are left out of a
// provider's load: nobody is here to end it.
func (w *world) newOrder(a *app, n int, random *rand.Rand) order {
	o := order{app: a, externalID: fmt.Sprintf("%s-%d", a.name, n)}
	if random.IntN(2) == 0 {
		o.key = "key of " + o.externalID
	}
	more := map[string]any{}
	if random.IntN(5) == 0 {
		more["callbackFormat"] = "provider"
	}
	at, share := 0, random.IntN(100)
	for share >= w.providers[at].profile.Share && at < len(w.providers)-1 {
		share -= w.providers[at].profile.Share
		at++
	}
	p := w.providers[at]
	way := p.profile.Load[random.IntN(len(p.profile.Load))]
	// An amount that no other order has: some books know a payment by nothing
	// else of ours.
	asked := core.Order{Provider: p.Provider(), Method: way.Method, Amount: fmt.Sprintf("%d.%02d", 1000+w.orders.Add(1), way.Cents[random.IntN(len(way.Cents))])}
	if len(way.Payers) > 0 {
		asked.Payer = way.Payers[random.IntN(len(way.Payers))]
	}
	o.body = asked.Body(o.externalID, more)
	return o
}
