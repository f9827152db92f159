package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"momoproxy/shared/webhook"
)

// demoApp is an app as a developer would write one: it verifies both
// signatures over the bytes as they came, and only then reads them.
type demoApp struct {
	URL string // its callback URL

	apiKey string
	secret webhook.Secret
	now    func() time.Time
	down   atomic.Bool // it answers 500
	print  func(format string, args ...any)

	mu       sync.Mutex
	verified map[string]callback // by event id: deliveries may repeat
	arrived  chan callback
}

// callback is what the demo app reads of an announcement.
type callback struct {
	EventID                string `json:"-"`
	Event                  string `json:"event"`
	ReferenceID            string `json:"referenceId"`
	ExternalID             string `json:"externalId"`
	Status                 string `json:"status"`
	FinancialTransactionID string `json:"financialTransactionId"`
	Reason                 string `json:"reason"`
	Amount                 string `json:"amount"`
	Currency               string `json:"currency"`
}

// startDemoApp serves the app on a free loopback port until the listener is
// closed by stop.
func startDemoApp(apiKey string, secret webhook.Secret, now func() time.Time, print func(string, ...any)) (app *demoApp, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("demo app: %w", err)
	}
	app = &demoApp{
		URL:    "http://" + l.Addr().String() + "/momo-callback",
		apiKey: apiKey, secret: secret, now: now, print: print,
		verified: map[string]callback{}, arrived: make(chan callback, 100),
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(l)
	return app, func() { server.Close() }, nil
}

func (a *demoApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.down.Load() {
		http.Error(w, "down, by the switch of the console", http.StatusInternalServerError)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	if err := webhook.VerifyLegacy(r.Header, body, a.apiKey); err != nil {
		a.print("demo app: REFUSED a callback: %v", err)
		http.Error(w, "bad signature", http.StatusForbidden)
		return
	}
	id, err := webhook.Verify(r.Header, body, a.now(), webhook.Tolerance, a.secret)
	if err != nil {
		a.print("demo app: REFUSED a callback: %v", err)
		http.Error(w, "bad signature", http.StatusForbidden)
		return
	}
	var c callback
	if err := json.Unmarshal(body, &c); err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	c.EventID = id

	a.mu.Lock()
	_, seen := a.verified[id]
	a.verified[id] = c
	a.mu.Unlock()
	if !seen {
		a.print("demo app: verified both signatures of %s: %s %s, order %s, %s %s%s",
			id, c.Event, c.ReferenceID, c.ExternalID, c.Amount, c.Currency, because(c.Reason))
		select {
		case a.arrived <- c:
		default: // nobody is waiting
		}
	}
	w.WriteHeader(http.StatusOK)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
