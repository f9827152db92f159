package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

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
	for i, p := range w.providers {
		shops.Go(func() { w.trouble(ctx, p, rand.New(rand.NewPCG(w.o.seed, 200+uint64(i)))) })
	}
	err := w.deployAndKill(ctx, rand.New(rand.NewPCG(w.o.seed, 300)))
	cancel()
	shops.Wait()
	for _, a := range w.apps {
		a.setTrouble(false)
	}
	for _, p := range w.providers {
		p.ClearRules()
	}
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
			o = w.newOrder(a, n, random)
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
	status, text := w.call(o.app, http.MethodPost, "/request-to-pay", o.key, o.body)
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
	case status == http.StatusUnprocessableEntity && answer.Code == "provider_refused": // one of the stand-ins' faults; the books judge it
	default:
		w.broken = append(w.broken, fmt.Sprintf("request-to-pay answered %d %s", status, text))
	}
	return ""
}

// look asks for a payment as its app does.
func (w *world) look(a *app, reference string) {
	status, text := w.call(a, http.MethodGet, "/status/"+reference, "", nil)
	if status != 0 && status != http.StatusOK && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		w.breaks("status of %s: %d %s", reference, status, text)
	}
}

// call returns the answer's HTTP status, or 0 when none came.
func (w *world) call(a *app, method, path, key string, body []byte) (int, []byte) {
	req, err := http.NewRequest(method, "http://"+w.address+path, bytes.NewReader(body))
	if err != nil {
		panic(err) // our own words
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", a.APIKey)
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
