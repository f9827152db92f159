package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"momoproxy/infra/receiver"
)

// payment is one request to pay and its result.
type payment struct {
	provider         string
	order, reference string
	began            time.Time // when it should have
	answered, called time.Duration
	status           int
}

// load sends the requests by the clock and waits for the callbacks.
func (w *world) load(ctx context.Context) {
	w.mu.Lock()
	w.all, w.open, w.early, w.refusals = nil, map[string]*payment{}, map[string]time.Time{}, map[string]int{}
	w.mu.Unlock()
	total := int(w.o.rate * w.o.duration.Seconds())
	apart := time.Duration(float64(time.Second) / w.o.rate)
	cpu, begin := w.processorTime(), time.Now()
	if w.o.every > 0 {
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go w.watch(watching)
	}
	var sending sync.WaitGroup
	for n := range total {
		at := begin.Add(time.Duration(n) * apart)
		time.Sleep(time.Until(at))
		number := w.next + n
		sending.Go(func() { w.request(ctx, number, at) })
		if n == total/10 {
			w.memory[0] = w.residentMemory()
		}
	}
	w.next += total
	sending.Wait()
	for deadline := time.Now().Add(w.o.rest); time.Now().Before(deadline) && w.missing() > 0; {
		time.Sleep(50 * time.Millisecond)
	}
	w.memory[1] = w.residentMemory()
	w.cpu = (w.processorTime() - cpu) / time.Duration(total)
}

func (w *world) request(ctx context.Context, n int, at time.Time) {
	a := w.apps[n%len(w.apps)]
	provider, order, body := w.body(n)
	p := &payment{provider: provider, order: order, began: at}
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.all = append(w.all, p)
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.address+"/request-to-pay", bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", a.APIKey)
	resp, err := w.client.Do(req)
	if err != nil {
		return
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	var answer struct{ ReferenceID string }
	if err != nil || json.Unmarshal(text, &answer) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p.reference = answer.ReferenceID
	p.status, p.answered = resp.StatusCode, time.Since(at)
	if p.status != http.StatusAccepted {
		if w.refusals[string(text)]++; w.refusals[string(text)] == 1 && len(w.refusals) < 4 {
			fmt.Printf("refused: %d %s\n", p.status, text)
		}
		return
	}
	if called, ok := w.early[answer.ReferenceID]; ok { // before the answer
		p.called = called.Sub(at)
		return
	}
	w.open[answer.ReferenceID] = p
}

// got notes when a payment's callback came.
func (a *app) got(_ *http.Request, c receiver.Attempt) int {
	if c.Fault != nil {
		a.w.unverified.Add(1)
		return http.StatusBadRequest
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if p := a.w.open[c.ReferenceID]; p != nil {
		p.called = c.At.Sub(p.began)
		delete(a.w.open, c.ReferenceID)
	} else {
		a.w.early[c.ReferenceID] = c.At
	}
	return http.StatusOK
}

func (w *world) missing() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

// report prints a provider's row; of all without a name.
func (w *world) report(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var answers, calls []time.Duration
	asked, refused := 0, 0
	for _, p := range w.all {
		if name != "" && p.provider != name {
			continue
		}
		asked++
		switch {
		case p.status != http.StatusAccepted:
			refused++
			continue
		case p.called > 0:
			calls = append(calls, p.called-approve)
		}
		answers = append(answers, p.answered)
	}
	if name == "" {
		name = "all"
	}
	fmt.Printf("%-12s %8d %9d %9d %9d %9v %9v %9v %9v\n", name, asked, len(answers), len(calls), refused,
		percentile(answers, 50), percentile(answers, 99), percentile(calls, 50), percentile(calls, 99))
}
