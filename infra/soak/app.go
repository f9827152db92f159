package main

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"momoproxy/shared/webhook"
)

// arrival is one attempt of a delivery as it came to an app, and what the app
// answered.
type arrival struct {
	EventID     string `json:"-"`
	Body        string `json:"-"`
	Answered    int    `json:"-"` // HTTP status
	Fault       string `json:"-"` // why it does not verify
	App         string `json:"-"`
	ReferenceID string `json:"referenceId"`
	Status      string `json:"status"`
	Sequence    int    `json:"sequence"`
}

// app is one client of the proxy, with its server. Share of its answers are
// failures while there is trouble.
type app struct {
	name, clientID, key string
	failing             float64
	secret              webhook.Secret

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

// ServeHTTP verifies both signatures over the bytes as they came, and only
// then reads them.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := arrival{App: a.name, Answered: http.StatusOK}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process was killed in the middle of it
	}
	if err = webhook.VerifyLegacy(r.Header, body, a.key); err == nil {
		n.EventID, err = webhook.Verify(r.Header, body, time.Now(), webhook.Tolerance, a.secret)
	}
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	if err != nil {
		n.Fault = err.Error()
	}
	n.Body = string(body)
	a.mu.Lock()
	var slow time.Duration
	if a.trouble && a.random.Float64() < a.failing {
		n.Answered = []int{500, 503, 429, 408}[a.random.IntN(4)]
		slow = time.Duration(a.random.IntN(300)) * time.Millisecond
	}
	a.arrived = append(a.arrived, n)
	a.mu.Unlock()
	time.Sleep(slow)
	w.WriteHeader(n.Answered)
}

func (a *app) arrivals() []arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]arrival(nil), a.arrived...)
}
