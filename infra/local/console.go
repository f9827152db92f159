package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"momoproxy/infra/console"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
	"momoproxy/shared/webhook"
)

// Where the console is: at this address, or, unless one was named, at any
// other when that one is taken.
const (
	consoleAddress = "127.0.0.1:8088"
	consoleOff     = "off"
)

// startConsole serves the console. Everything that it can do with the
// stand-ins is in playground.go; with real money there is none of that.
func (s *system) startConsole(o options, g *gateway.Gateway) error {
	if o.console == consoleOff || o.console == "" {
		return nil
	}
	l, err := console.Listen(o.console)
	if err != nil && o.console == consoleAddress && !o.consoleSet {
		l, err = console.Listen("127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("console: %w (choose another address with -console, or none with -console off)", err)
	}
	co := console.Options{
		Ledger: s.parts.Ledger.AsOperator(operator), Queue: s.store.queue, Settle: g, Ask: g, Operator: operator, Place: "LOCAL, no real money",
		Actions: true, GatewayURL: s.gatewayURL, Log: s.parts.Log, Now: s.parts.Now,
	}
	for _, p := range s.providers {
		co.Providers = append(co.Providers, p.name)
	}
	s.consoleURL = "http://" + l.Addr().String() + "/"
	if o.live {
		co.Place, co.Live, co.Key = "LIVE: payments charge real customers", true, console.NewKey()
		s.consoleURL += "?key=" + co.Key
	} else {
		co.Local = &playground{system: s}
	}
	handler := console.New(co)
	if err := s.announceConsole(handler.Running(s.consoleURL), o); err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	// A page that is kept up to date would hold a shutdown up.
	s.stops = append(s.stops, func() { server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.parts.Log.Error("console.ended", "error", err.Error())
		}
	}()
	return nil
}

// announceConsole writes down where the console is, for momoctl.
func (s *system) announceConsole(at console.Running, o options) error {
	if o.live || o.data == ":memory:" {
		return nil
	}
	path := filepath.Join(o.data, console.RunningFile)
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	s.stops = append(s.stops, func() { os.Remove(path) })
	return nil
}

// operator is the name of the console's user in the audit log.
const operator = "console"

// onClock dates each callback by the system's clock, which a person may have
// moved.
type onClock struct {
	forwarder.Poster
	clock *clock
}

func (c onClock) Post(ctx context.Context, url string, header http.Header, body []byte) webhook.Result {
	r := c.Poster.Post(ctx, url, header, body)
	r.Started = r.Started.Add(c.clock.Ahead())
	return r
}
