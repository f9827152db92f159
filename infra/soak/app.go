package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"momoproxy/infra/receiver"
)

// arrival is one attempt of a delivery as it came to an app, and what the app
// answered.
type arrival struct {
	EventID  string
	Body     string
	Answered int    // HTTP status
	Fault    string // why it does not verify
	App      string
	ClientID string
}

// saysPaid says whether an app that reads it concludes that it
// has its money: in our form, or in one of the providers'.
func (n arrival) saysPaid() bool {
	var body struct {
		Status          string
		OperationStatus any
		Data            struct{ Status string }
	}
	_ = json.Unmarshal([]byte(n.Body), &body) // what is none says nothing
	return body.Status == "SUCCESSFUL" || body.OperationStatus == "1" || body.Data.Status == "paid"
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
	n := arrival{App: a.name, ClientID: a.clientID, Answered: http.StatusOK, EventID: c.EventID, Body: string(c.Body)}
	if c.Fault != nil {
		n.Fault = c.Fault.Error()
	}
	a.mu.Lock()
	var slow time.Duration
	if a.trouble && a.random.Float64() < a.failing {
		n.Answered = []int{500, 503, 429, 408}[a.random.IntN(4)]
		slow = time.Duration(a.random.IntN(300)) * time.Millisecond
	}
	a.arrived = append(a.arrived, n)
	a.mu.Unlock()
	time.Sleep(slow)
	return n.Answered
}

func (a *app) arrivals() []arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]arrival(nil), a.arrived...)
}
