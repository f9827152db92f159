package main

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"momoproxy/infra/judge"
	"momoproxy/infra/receiver"
)

// arrival is one attempt of a delivery as it came to an app.
type arrival struct {
	judge.Arrival
	Fault string // why it does not verify
	App   string
}

// app is one client of the proxy, with its server. Share of its answers are
// failures while there is trouble.
type app struct {
	receiver.Keys
	name, clientID string
	failing        float64

	mu      sync.Mutex
	trouble bool
	random  *rand.Rand
	arrived []arrival // in the order of the answers
}

func (a *app) setTrouble(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trouble = on
}

// got notes a delivery, and fails at times.
func (a *app) got(_ *http.Request, c receiver.Attempt) int {
	n := arrival{App: a.name, Arrival: judge.Arrival{ClientID: a.clientID, EventID: c.EventID, Body: string(c.Body), Taken: true}}
	answer := http.StatusOK
	if c.Fault != nil {
		n.Fault = c.Fault.Error()
	}
	a.mu.Lock()
	var slow time.Duration
	if a.trouble && a.random.Float64() < a.failing {
		answer, n.Taken = []int{500, 503, 429, 408}[a.random.IntN(4)], false
		slow = time.Duration(a.random.IntN(300)) * time.Millisecond
	}
	a.arrived = append(a.arrived, n)
	a.mu.Unlock()
	time.Sleep(slow)
	return answer
}

func (a *app) arrivals() []arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]arrival(nil), a.arrived...)
}
