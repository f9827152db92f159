package main

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"momoproxy/infra/loopback"
	"momoproxy/infra/receiver"
)

// demoApp is the app that the local system delivers to.
type demoApp struct {
	URL string // its callback URL

	receiver.Keys
	down  atomic.Bool // it answers 500
	print func(format string, args ...any)

	mu       sync.Mutex
	verified map[string]bool // by event id: deliveries may repeat
	arrived  chan receiver.Attempt
}

// startDemoApp serves the app on a free loopback port until it is stopped.
func startDemoApp(keys receiver.Keys, now func() time.Time, print func(string, ...any)) (app *demoApp, stop func(), err error) {
	app = &demoApp{Keys: keys, print: print, verified: map[string]bool{}, arrived: make(chan receiver.Attempt, 100)}
	verifying := keys.Handler(now, app.got)
	url, stop, err := loopback.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if app.down.Load() {
			http.Error(w, "down, by the switch of the console", http.StatusInternalServerError)
			return
		}
		verifying.ServeHTTP(w, r)
	}), "127.0.0.1:0")
	app.URL = url + "/momo-callback"
	return app, stop, err
}

func (a *demoApp) got(_ *http.Request, c receiver.Attempt) int {
	if c.Fault != nil {
		a.print("demo app: REFUSED a callback: %v", c.Fault)
		return http.StatusForbidden
	}
	a.mu.Lock()
	seen := a.verified[c.EventID]
	a.verified[c.EventID] = true
	a.mu.Unlock()
	if !seen {
		a.print("demo app: verified both signatures of %s: %s %s, order %s, %s %s%s",
			c.EventID, c.Event, c.ReferenceID, c.ExternalID, c.Amount, c.Currency, because(c.Reason))
		select {
		case a.arrived <- c:
		default: // nobody is waiting
		}
	}
	return http.StatusOK
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
