package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"momoproxy/infra/sandbox"
)

// order is one request that an app makes, perhaps more than once.
type order struct {
	app             *app
	externalID, key string
	payer           string
}

// payers are the scripts that orders are given; most people pay.
var payers = []string{
	sandbox.PlanSuccess, sandbox.PlanSuccess, sandbox.PlanSuccess, sandbox.PlanSuccess, "failed_approval_rejected", "mtn_453",
	"callback_lost", "callback_late", "callback_double", "callback_forged", "callback_put", "reset_after", "error500_charged",
}

// mtnFaults are what MTN is made to do, besides the scripts. Those that bend
// what a status says are left out: they hold a payment for an operator, and
// nobody is here to settle it. A status question is not reset
// either: net/http asks again by itself when a kept connection breaks, and that
// question has no place under the limit which is judged here.
var mtnFaults = []sandbox.Rule{
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.ResetBefore}, {Route: sandbox.RouteRequestToPay, Fault: sandbox.ResetAfter},
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.TimeoutAfter}, {Route: sandbox.RouteRequestToPay, Fault: sandbox.Error500After},
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.UnavailableAfter}, {Route: sandbox.RouteRequestToPay, Fault: sandbox.Unavailable},
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.TooMany}, {Route: sandbox.RouteRequestToPay, Fault: sandbox.HTMLAfter},
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.JSONAfter}, {Route: sandbox.RouteRequestToPay, Fault: sandbox.Truncated},
	{Route: sandbox.RouteRequestToPay, Fault: sandbox.Unauthorized}, {Route: sandbox.RouteRequestToPay, DelayMS: 2000},
	{Route: sandbox.RouteStatus, Fault: sandbox.Error500Before}, {Route: sandbox.RouteStatus, Fault: sandbox.TimeoutAfter},
	{Route: sandbox.RouteStatus, Fault: sandbox.HTMLAfter}, {Route: sandbox.RouteStatus, Fault: sandbox.UnknownStatus},
	{Route: sandbox.RouteStatus, Fault: sandbox.Truncated}, {Route: sandbox.RouteStatus, Fault: sandbox.TooMany},
	{Route: sandbox.RouteStatus, Fault: sandbox.ReasonObject}, {Route: sandbox.RouteStatus, Fault: sandbox.NumberFields},
	{Route: sandbox.RouteToken, Fault: sandbox.Unavailable}, {Route: sandbox.RouteToken, Fault: sandbox.ResetBefore},
	{Route: sandbox.RouteCallback, Fault: sandbox.LostCallback}, {Route: sandbox.RouteCallback, Fault: sandbox.RepeatedCallback},
}

// load runs shops, trouble and kills side by side until the duration is over.
func (w *world) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.o.duration)
	defer cancel()
	for _, a := range w.apps {
		a.setTrouble(true)
	}
	var shops sync.WaitGroup
	for i, a := range w.apps {
		shops.Go(func() { w.shop(ctx, a, rand.New(rand.NewPCG(w.o.seed, 100+uint64(i)))) })
	}
	shops.Go(func() { w.troubleMTN(ctx, rand.New(rand.NewPCG(w.o.seed, 200))) })
	err := w.killNowAndThen(ctx, rand.New(rand.NewPCG(w.o.seed, 300)))
	cancel()
	shops.Wait()
	for _, a := range w.apps {
		a.setTrouble(false)
	}
	w.mtn.ClearRules()
	return err
}

// shop buys at the app's share of the rate, asks for the status of what it
// bought, and repeats what it got no answer to.
func (w *world) shop(ctx context.Context, a *app, random *rand.Rand) {
	tick := time.NewTicker(time.Duration(float64(len(w.apps)) / w.o.rate * float64(time.Second)))
	defer tick.Stop()
	var requests sync.WaitGroup
	defer requests.Wait()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		var o order
		if n%4 == 0 { // a request that is still running is not hurried by more
			o = w.unanswered(a)
		}
		if o.externalID == "" {
			o = order{app: a, externalID: fmt.Sprintf("%s-%d", a.name, n), payer: sandbox.Payer(payers[random.IntN(len(payers))])}
			if random.IntN(2) == 0 {
				o.key = "key of " + o.externalID
			}
		}
		look := random.IntN(3) == 0
		requests.Go(func() {
			if reference := w.buy(o); reference != "" && look {
				w.look(a, reference)
			}
		})
	}
}

// unanswered takes an order of the app that is to be sent again.
func (w *world) unanswered(a *app) order {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, o := range w.again {
		if o.app == a {
			w.again = append(w.again[:i], w.again[i+1:]...)
			return o
		}
	}
	return order{}
}

// buy sends an order and notes what was promised.
func (w *world) buy(o order) (reference string) {
	body, err := json.Marshal(map[string]any{
		"amount": "25.00", "externalId": o.externalID, "payer": map[string]string{"partyIdType": "MSISDN", "partyId": o.payer},
	})
	if err != nil {
		panic(err) // strings only
	}
	status, text := w.call(o.app, http.MethodPost, "/request-to-pay", o.key, body)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	w.told[status]++
	var answer struct{ ReferenceID, Code string }
	_ = json.Unmarshal(text, &answer) // what is not ours has no reference
	switch {
	case status == http.StatusAccepted && answer.ReferenceID != "":
		w.promised[answer.ReferenceID] = o.externalID
		if before := w.keyed[o.key]; o.key != "" && before != "" && before != answer.ReferenceID {
			w.broken = append(w.broken, fmt.Sprintf("one Idempotency-Key, two payments: %s and %s", before, answer.ReferenceID))
		}
		w.keyed[o.key] = answer.ReferenceID
		return answer.ReferenceID
	case status == 0, status == http.StatusConflict && answer.Code == "request_in_progress":
		if o.key != "" {
			w.again = append(w.again, o)
		}
	case status == http.StatusConflict, status == http.StatusTooManyRequests, status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
	default:
		w.broken = append(w.broken, fmt.Sprintf("request-to-pay answered %d %s", status, text))
	}
	return ""
}

// look asks for a payment as its app does.
func (w *world) look(a *app, reference string) {
	status, text := w.call(a, http.MethodGet, "/status/"+reference, "", nil)
	if status != 0 && status != http.StatusOK && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.broken = append(w.broken, fmt.Sprintf("status of %s: %d %s", reference, status, text))
	}
}

// call returns the answer's HTTP status, or 0 when none came.
func (w *world) call(a *app, method, path, key string, body []byte) (int, []byte) {
	req, err := http.NewRequest(method, "http://"+w.address+path, bytes.NewReader(body))
	if err != nil {
		panic(err) // our own words
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", a.key)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, text
}

// troubleMTN adds a fault every now and then, through the control API as
// anybody would. What the one before has left is gone by then: faults that
// pile up would keep the circuit open, and then little happens.
func (w *world) troubleMTN(ctx context.Context, random *rand.Rand) {
	for pause(ctx, time.Duration(1000+random.IntN(3000))*time.Millisecond) {
		w.mtn.ClearRules()
		rule := mtnFaults[random.IntN(len(mtnFaults))]
		rule.Times = 1 + random.IntN(3)
		body, err := json.Marshal(rule)
		if err != nil {
			panic(err) // strings and numbers only
		}
		resp, err := w.client.Post(w.mtnURL+"/_sandbox/rules", "application/json", bytes.NewReader(body))
		if err != nil || resp.StatusCode != http.StatusCreated {
			w.mu.Lock()
			w.broken = append(w.broken, fmt.Sprintf("the sandbox refused a fault: %+v, %v", rule, err))
			w.mu.Unlock()
			continue
		}
		resp.Body.Close()
		w.rules++
	}
}

// killNowAndThen kills the process without a warning and starts it again.
func (w *world) killNowAndThen(ctx context.Context, random *rand.Rand) error {
	for pause(ctx, time.Duration(4000+random.IntN(8000))*time.Millisecond) {
		if err := w.end(os.Kill); err != nil {
			return err
		}
		w.kills++
		if err := w.start(); err != nil {
			return err
		}
	}
	return nil
}

// pause returns false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
