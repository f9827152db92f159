package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/cloud"
	"momoproxy/infra/receiver"
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// The demo app's client, as in the contract's scripts.
const (
	demoKey      = "APP_CHANGE_THIS"
	demoClientID = "cli_demo"
	// demoRefundsPerDay is what it may give back.
	demoRefundsPerDay = "10000"
)

// system is everything that runs.
type system struct {
	gatewayURL string
	consoleURL string // empty: there is none
	clock      *clock
	standins   standins
	providers  []providerAt // what the gateway asks, the default first
	appURL     string
	data       string // folder, or :memory:
	logPath    string // empty: none is kept
	store      store
	parts      assembly.Parts
	app        *demoApp
	out        func(format string, args ...any)

	background sync.WaitGroup
	stops      []func()
}

// start brings everything up; stop ends it again, even half started.
func start(ctx context.Context, o options, out io.Writer) (_ *system, err error) {
	var mu sync.Mutex
	s := &system{data: o.data, out: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", args...)
	}}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()

	if err := checkLiveFlags(o); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("%w (choose another with -listen)", err)
	}
	s.stops = append(s.stops, func() { listener.Close() })
	unlock, err := lockData(ctx, o)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() { unlock() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.gatewayURL = "http://" + listener.Addr().String()
	// MTN refuses IP addresses in callback URLs, and so does its stand-in.
	ownURL := "http://localhost:" + port

	if s.clock, err = newClock(o.now, o.data); err != nil {
		return nil, err
	}
	o.now = s.clock.Now
	if s.store, err = openStore(ctx, o); err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() { s.store.close() })
	log, err := s.openLog(o)
	if err != nil {
		return nil, err
	}
	machine := host.Machine()
	machine.Now = s.clock.Now
	s.parts = assembly.Parts{
		Table: s.store.table, Queue: s.store.queue, Host: machine, Log: log,
		Rules: webhook.Rules{AllowLoopback: !o.live},
	}
	s.parts.Apps = onClock{webhook.NewClient(webhook.Options{Rules: s.parts.Rules}), s.clock}
	if err := s.startProviders(o, ownURL); err != nil {
		return nil, err
	}
	if err := checkMode(ctx, o, s.parts.Table, s.parts.Ledger); err != nil {
		return nil, err
	}
	if !o.live {
		if err := s.startDemoApp(ctx); err != nil {
			return nil, err
		}
	}
	// The heartbeat in the folder may be of last week. This one also shows
	// that the folder can be written to.
	if err := s.parts.Beat(ctx); err != nil {
		return nil, err
	}
	g, err := s.startFunctions(ctx, listener, o.template)
	if err != nil {
		return nil, err
	}
	if err := s.startConsole(o, g); err != nil {
		return nil, err
	}
	return s, nil
}

// openLog writes the JSON log beside the database, or nowhere when nothing
// is to be left behind. Errors go to stderr too: a log on a full disk holds
// none.
func (s *system) openLog(o options) (*slog.Logger, error) {
	if o.errors == nil {
		o.errors = os.Stderr
	}
	errors := telemetry.New(o.errors, slog.LevelError)
	if s.store.inMemory() {
		return errors, nil
	}
	f, err := os.OpenFile(filepath.Join(o.data, "log.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() { f.Close() })
	s.logPath = f.Name()
	return slog.New(slog.NewMultiHandler(telemetry.New(f, slog.LevelInfo).Handler(), errors.Handler())), nil
}

// startDemoApp makes the demo client if it is not there and starts its app.
func (s *system) startDemoApp(ctx context.Context) error {
	client, err := s.parts.Ledger.Client(ctx, demoClientID)
	fresh := errors.Is(err, ledger.ErrNotFound)
	if err != nil && !fresh {
		return err
	}
	if fresh {
		secret, err := webhook.NewSecret(rand.Reader)
		if err != nil {
			return err
		}
		client = ledger.Client{ID: demoClientID, Name: "Demo app", Active: true, CreatedAt: ledger.Clock(s.clock.Now()),
			APIKey: demoKey, SigningSecrets: []string{secret.Reveal()}}
		refunders, err := payments.Refunders(s.parts)
		if err != nil {
			return err
		}
		for _, r := range refunders { // of one currency: a stand-in's, or a test account's
			perDay, err := payment.ParseMoney(demoRefundsPerDay, r.Capabilities().Currency)
			if err != nil {
				return err
			}
			client.RefundsPerDay = []payment.Money{perDay}
		}
		if client, err = s.parts.Ledger.CreateClient(ctx, client); err != nil {
			return err
		}
	}
	secret, err := webhook.ParseSecret(client.SigningSecrets[0])
	if err != nil {
		return err
	}
	app, stop, err := startDemoApp(receiver.Keys{APIKey: demoKey, Secret: secret}, s.clock.Now, s.out)
	if err != nil {
		return err
	}
	s.stops = append(s.stops, stop)
	s.app, s.appURL = app, app.URL
	// The app listens on another port each time.
	return s.parts.Ledger.ChangeClient(ctx, client, ledger.ClientChange{CallbackURL: new(app.URL)})
}

// startFunctions serves the template's routes, consumes the queue and runs
// the schedule.
func (s *system) startFunctions(ctx context.Context, listener net.Listener, template []byte) (*gateway.Gateway, error) {
	w, err := cloud.Read(template)
	if err != nil {
		return nil, err
	}
	api, err := routes.API(s.parts)
	if err != nil {
		return nil, err
	}
	invoke, err := handlersFor(w.Routes, api)
	if err != nil {
		return nil, err
	}
	if err := s.startLoops(ctx, w, api.Collection.Gateway, api.Refunds.Refunds); err != nil {
		return nil, err
	}
	server := &http.Server{Handler: cloud.Gateway(w.Routes, invoke), ReadHeaderTimeout: 5 * time.Second}
	s.stops = append(s.stops, func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = server.Shutdown(ctx)
	})
	go server.Serve(listener)
	return api.Collection.Gateway, nil
}

// handlersFor answers each route with its handler. A route that the API does
// not have, or has of another function, is an error: the template and this
// program must not drift.
func handlersFor(routes []cloud.Route, api *httpapi.API) (cloud.Invoke, error) {
	known, handlers := api.Routes(), api.Handlers()
	for _, route := range routes {
		if !slices.Contains(known, httpapi.Route(route)) {
			return nil, fmt.Errorf("template route %s: function %s has no handler for it here", route.Key(), route.Function)
		}
	}
	return func(ctx context.Context, route cloud.Route, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return handlers[route.Key()](ctx, event)
	}, nil
}

// stop ends everything in the reverse order of its start. A second call does
// nothing.
func (s *system) stop() {
	stops := s.stops
	s.stops = nil
	for i := len(stops) - 1; i >= 0; i-- {
		stops[i]()
	}
}
