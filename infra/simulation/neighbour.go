package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/httpapi"
)

// silentPayers begins the numbers of those payers whose requests MTN never
// takes. No other order has such a payer.
const silentPayers = "26878000"

// planNeighbour has one app ask MTN for payments of silent payers only, in
// some worlds, long after the faults have stopped and nobody has asked for
// anything for a while. Another app asks beside it for payments that MTN takes,
// and must not notice. What is drawn here moves nothing else of a seed.
func (w *world) planNeighbour() {
	rng := rand.New(rand.NewPCG(w.options.Seed, 0x6e656967))
	if rng.IntN(4) > 0 || len(w.apps) < 2 || w.options.Payments > 0 {
		return
	}
	bad, good := w.apps[0], w.apps[1]
	start := 3*time.Hour + time.Duration(rng.IntN(60_000))*time.Millisecond
	every := time.Duration(200+rng.IntN(1500)) * time.Millisecond
	for i := range 12 + rng.IntN(24) {
		o := neighbourOrder(bad, fmt.Sprintf("silent-%d", i), fmt.Sprintf("%s%03d", silentPayers, rng.IntN(30)))
		w.after(start+time.Duration(i)*every, "ask for a silent payer", func() { w.askPlainly(o) })
	}
	first := time.Duration(rng.IntN(20_000)) * time.Millisecond
	for i := range 6 {
		o := neighbourOrder(good, fmt.Sprintf("beside-%d", i), fmt.Sprintf("2687601%04d", rng.IntN(10_000)))
		o.plain = true
		w.after(start+first+time.Duration(i)*5*time.Second, "ask beside it", func() {
			if resp := w.askPlainly(o); !w.halted && resp.StatusCode != http.StatusAccepted {
				w.violate(Separation, "%s is answered %d %s; MTN answers it, and not the payers of %s", good.name, resp.StatusCode, resp.Body, bad.name)
			}
		})
	}
}

// silence is what MTN makes of a request for a silent payer.
func (w *world) silence(c core.Call) core.Fault {
	if c.Route != mtnstand.RouteRequestToPay || !strings.HasPrefix(c.Payer, silentPayers) {
		return ""
	}
	return pick(w, core.TimeoutBefore, core.ResetBefore, core.Error503Before, core.Error429Before)
}

const (
	// greedySpan is how long an app sends too much, each greedyEvery: five
	// times what it may on average.
	greedySpan  = 8 * time.Second
	greedyEvery = time.Second / httpapi.AppPerSecond / 5
	// greedyShare is how many times its limit may get through, also what
	// instances let through while they do not ask the table.
	greedyShare = 1.3
)

// planGreedy has one app ask for its list far beyond its limit, in some
// worlds, from many instances, once the faults have stopped. It gets no more
// than the limit allows, and another app beside it is served.
func (w *world) planGreedy() {
	rng := rand.New(rand.NewPCG(w.options.Seed, 0x67726565))
	if rng.IntN(32) > 0 || len(w.apps) < 2 || w.options.Payments > 0 {
		return
	}
	greedy, other := w.apps[0], w.apps[1]
	start, served, asked := 5*time.Hour, 0, 0
	for at := time.Duration(0); at < greedySpan; at += greedyEvery {
		w.after(start+at, "ask far too often", func() {
			asked++
			w.rates.coldly = 0.5
			if _, ok := w.serve(greedy, greedy.client.APIKey, requestTo(http.MethodGet, "/payments")); ok {
				served++
			}
		})
	}
	w.after(start+greedySpan/2, "ask beside it", func() {
		if resp, _ := w.serve(other, other.client.APIKey, requestTo(http.MethodGet, "/payments")); !w.halted && resp.StatusCode != http.StatusOK {
			w.violate(Separation, "%s is answered %d while %s asks too often", other.name, resp.StatusCode, greedy.name)
		}
	})
	w.after(start+greedySpan+time.Second, "count", func() {
		w.rates.coldly = 0
		most := httpapi.AppBurst + httpapi.AppPerSecond*greedySpan.Seconds()
		if float64(served) > greedyShare*most {
			w.violate(Requests, "%s got %d of %d requests through; its limit allows %.0f", greedy.name, served, asked, most)
		}
	})
}

func neighbourOrder(a *app, externalID, payer string) *order {
	o := &order{app: a, externalID: externalID, amount: "150.00", payer: payer, references: map[string]string{}}
	o.body = fmt.Sprintf(`{"amount":"150.00","currency":"SZL","externalId":%q,"payer":{"partyIdType":"MSISDN","partyId":%q}}`, externalID, payer)
	a.orders = append(a.orders, o)
	return o
}

// askPlainly sends a request to pay once; in calm it is answered.
func (w *world) askPlainly(o *order) httpapi.Response {
	o.asked++
	r := httpapi.Request{Body: o.body, RouteKey: "POST /request-to-pay", Headers: map[string]string{
		"content-type": "application/json", "x-proxy-api-key": o.app.client.APIKey,
	}}
	r.RequestContext.HTTP.Method = http.MethodPost
	inv, resp, ok := w.send(o, r)
	if ok && !w.halted {
		w.answered(o, "", inv, resp)
	}
	return resp
}
