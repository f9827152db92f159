package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
)

// rule is one thing that a stand-in is made to do, as all their control APIs
// take it.
type rule struct {
	Route   string `json:"route"`
	Fault   string `json:"fault,omitempty"`
	DelayMS int64  `json:"delayMs,omitempty"`
	Times   int    `json:"times,omitempty"`
}

// rulesOf makes a rule of each fault of a route.
func rulesOf[F ~string](route string, faults ...F) []rule {
	all := []rule{{Route: route, DelayMS: 2000}}
	for _, f := range faults {
		all = append(all, rule{Route: route, Fault: string(f)})
	}
	return all
}

func rules(all ...[]rule) []rule {
	var flat []rule
	for _, r := range all {
		flat = append(flat, r...)
	}
	return flat
}

// What the providers are made to do, besides the scripts. Faults that bend
// what a status says of amount or payer are left out: they hold a payment for
// an operator, and nobody is here to settle it.
var (
	mtnFaults = rules(
		rulesOf(sandbox.RouteRequestToPay, sandbox.ResetBefore, sandbox.ResetAfter, sandbox.TimeoutAfter, sandbox.Error500After,
			sandbox.UnavailableAfter, sandbox.Unavailable, sandbox.TooMany, sandbox.HTMLAfter, sandbox.JSONAfter, sandbox.Truncated, sandbox.Unauthorized),
		rulesOf(sandbox.RouteStatus, sandbox.ResetBefore, sandbox.ResetAfter, sandbox.Error500Before, sandbox.TimeoutAfter,
			sandbox.HTMLAfter, sandbox.UnknownStatus, sandbox.Truncated, sandbox.TooMany, sandbox.Unauthorized, sandbox.ReasonObject, sandbox.NumberFields),
		rulesOf(sandbox.RouteToken, sandbox.Unavailable, sandbox.ResetBefore),
		rulesOf(sandbox.RouteCallback, sandbox.LostCallback, sandbox.RepeatedCallback),
	)
	facturaFaults = rules(
		rulesOf(facturabox.RouteReference, facturabox.ResetAfter, facturabox.HTMLAfter, facturabox.TooMany),
		rulesOf(facturabox.RouteEkwanza, facturabox.Error500After, facturabox.Truncated),
		rulesOf(facturabox.RouteMCX, facturabox.GatewayTimeoutAfter, facturabox.Incomplete, facturabox.UnknownCodeAfter, facturabox.TimeoutAfter),
		rulesOf(facturabox.RouteStatus, facturabox.ResetBefore, facturabox.ResetAfter, facturabox.Error500Before, facturabox.HTMLBefore,
			facturabox.HTMLNotFound, facturabox.NotFound, facturabox.Truncated, facturabox.TimeoutAfter, facturabox.UnknownWord, facturabox.TooMany, facturabox.Echo),
		rulesOf(facturabox.RouteWebhook, facturabox.LostWebhook, facturabox.DoubledWebhook),
	)
	// A webhook of MomentPay is lost by its script alone: where the answer is
	// kept as an error as well, nothing else tells of the payment.
	momentFaults = rules(
		rulesOf(momentbox.RouteCreate, momentbox.ResetBefore, momentbox.ResetAfter, momentbox.TimeoutAfter, momentbox.Error500Before,
			momentbox.Error500After, momentbox.Error503Before, momentbox.TooMany, momentbox.Conflict, momentbox.NoSuchPage,
			momentbox.HTMLAfter, momentbox.Truncated, momentbox.Endless, momentbox.NoLink, momentbox.WrongReference),
		rulesOf(momentbox.RouteRetrieve, momentbox.ResetBefore, momentbox.ResetAfter, momentbox.Error500Before, momentbox.TimeoutAfter,
			momentbox.HTMLBefore, momentbox.NoSuchPage, momentbox.NotFound, momentbox.Truncated, momentbox.UnknownStatus,
			momentbox.OtherRequest, momentbox.WrongReference, momentbox.NoAmount, momentbox.StringAmount, momentbox.Echo),
		rulesOf(momentbox.RouteWebhook, momentbox.RepeatedWebhook),
	)
)

// trouble adds a fault of one provider every now and then, through the
// control API as anybody would. What the one before has left is gone by then:
// faults that pile up would keep the circuit open, and then little happens.
func (w *world) trouble(ctx context.Context, p *standIn, random *rand.Rand) {
	for pause(ctx, time.Duration(500+random.IntN(2000))*time.Millisecond) {
		p.clear()
		r := p.faults[random.IntN(len(p.faults))]
		r.Times = 1 + random.IntN(3)
		body, err := json.Marshal(r)
		if err != nil {
			panic(err) // strings and numbers only
		}
		resp, err := w.client.Post(p.url+"/_sandbox/rules", "application/json", bytes.NewReader(body))
		if err != nil {
			w.breaks("%s took no fault: %v", p.name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			w.breaks("%s refused a fault: %s", p.name, body)
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
