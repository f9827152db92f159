package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
)

// rulesOf makes a rule of each fault of a route.
func rulesOf(route string, faults ...core.Fault) []core.Rule {
	all := []core.Rule{{Route: route, DelayMs: 2000}}
	for _, f := range faults {
		all = append(all, core.Rule{Route: route, Fault: f})
	}
	return all
}

// What the providers are made to do, besides the scripts. Faults that bend
// what a status says of amount or payer are left out: they hold a payment for
// an operator, and nobody is here to settle it.
var troubles = map[string][]core.Rule{
	mtnstand.Name: slices.Concat(
		rulesOf(mtnstand.RouteRequestToPay, core.ResetBefore, core.ResetAfter, core.TimeoutAfter, core.Error500After,
			core.Error503After, core.Error503Before, core.Error429Before, core.HTML200After, core.JSON200After, core.Truncated, core.Error401Before),
		rulesOf(mtnstand.RouteStatus, core.ResetBefore, core.ResetAfter, core.Error500Before, core.TimeoutAfter,
			core.HTML200After, mtnstand.UnknownStatus, core.Truncated, core.Error429Before, core.Error401Before, mtnstand.ReasonObject, mtnstand.NumberFields),
		rulesOf(mtnstand.RouteToken, core.Error503Before, core.ResetBefore),
		rulesOf(core.RouteCallback, core.Lost, core.Repeated),
	),
	facturastand.Name: slices.Concat(
		rulesOf(facturastand.RouteReference, core.ResetAfter, core.HTML200After, core.Error429Before),
		rulesOf(facturastand.RouteEkwanza, core.Error500After, core.Truncated),
		rulesOf(facturastand.RouteMCX, core.HTML504After, facturastand.Incomplete, facturastand.UnknownCodeAfter, core.TimeoutAfter),
		rulesOf(facturastand.RouteStatus, core.ResetBefore, core.ResetAfter, core.Error500Before, core.HTML200Before,
			core.HTML404Before, core.Error404Before, core.Truncated, core.TimeoutAfter, facturastand.UnknownWord, core.Error429Before, core.EchoBefore),
		rulesOf(core.RouteCallback, core.Lost, core.Repeated),
	),
	// A webhook of MomentPay is lost by its script alone: where the answer is
	// kept as an error as well, nothing else reports the payment.
	momentstand.Name: slices.Concat(
		rulesOf(momentstand.RouteCreate, core.ResetBefore, core.ResetAfter, core.TimeoutAfter, core.Error500Before,
			core.Error500After, core.Error503Before, core.Error429Before, core.Error409Before, core.HTML404Before,
			core.HTML200After, core.Truncated, core.Endless, momentstand.NoLink, momentstand.WrongReference),
		rulesOf(momentstand.RouteRetrieve, core.ResetBefore, core.ResetAfter, core.Error500Before, core.TimeoutAfter,
			core.HTML200Before, core.HTML404Before, core.Error404Before, core.Truncated, momentstand.UnknownStatus,
			momentstand.OtherRequest, momentstand.WrongReference, momentstand.NoAmount, momentstand.StringAmount, core.EchoBefore),
		rulesOf(core.RouteCallback, core.Repeated),
	),
}

// trouble adds a fault of one provider every now and then, through the
// control API as anybody would. What the one before has left is gone by then:
// faults that pile up would keep the circuit open, and then little happens.
func (w *world) trouble(ctx context.Context, p *provider, random *rand.Rand) {
	for pause(ctx, time.Duration(500+random.IntN(2000))*time.Millisecond) {
		p.ClearRules()
		faults := troubles[p.Provider()]
		r := faults[random.IntN(len(faults))]
		r.Times = 1 + random.IntN(3)
		body, err := json.Marshal(r)
		if err != nil {
			panic(err) // strings and numbers only
		}
		resp, err := w.client.Post(p.address+"/_standin/rules", "application/json", bytes.NewReader(body))
		if err != nil {
			w.breaks("%s took no fault: %v", p.Provider(), err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			w.breaks("%s refused a fault: %s", p.Provider(), body)
			continue
		}
		w.rules.Add(1)
	}
}

// breaks notes what was seen to be wrong at once.
func (w *world) breaks(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}
