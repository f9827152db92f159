package testbed

import (
	"context"
	"net/http"
	"strings"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/host"
	"momoproxy/shared/provider"
)

// startOthers makes the providers beside MTN. Their webhooks come in by the
// API's routes.
func (w *World) startOthers(o Options) {
	client := &http.Client{Transport: inbound{w}, Timeout: 5 * time.Second}
	for _, kind := range standin.All() {
		if kind.Name == w.Sandbox.Provider() {
			continue
		}
		s := must(kind.Start(core.Options{Seed: o.Seed, HTTPClient: client}, PublicURL))(w.t)
		w.t.Cleanup(s.Close)
		w.others = append(w.others, s)
	}
}

// Standin is the stand-in of a type: one of those beside MTN's, which is
// World.Sandbox.
func Standin[S standin.Standin](w *World) S {
	w.t.Helper()
	for _, s := range w.others {
		if s, ok := s.(S); ok {
			return s
		}
	}
	var none S
	w.t.Fatalf("there is no stand-in of type %T", none)
	return none
}

// Account is the account at a provider beside MTN, by the names of its
// variables.
func (w *World) Account(provider string) map[string]string {
	for _, s := range w.others {
		if s.Provider() == provider {
			return s.Variables("https://" + provider + ".example.com")
		}
	}
	return nil
}

// adapters are those of the providers beside MTN.
func (w *World) adapters(o Options) (all []provider.Provider) {
	for _, r := range providers.All() {
		variables := w.Account(r.Name)
		if variables == nil {
			continue
		}
		if o.Account != nil {
			o.Account(r.Name, variables)
		}
		for _, s := range w.others {
			if s.Provider() == r.Name {
				parts := provider.Parts{Host: host.Machine(), Client: &http.Client{Transport: s.RoundTripper()}}
				all = append(all, must(r.New(provider.NewAccount(r.Name, variables), parts))(w.t))
			}
		}
	}
	return all
}

// Guarded are accounts as the gateway has them.
func Guarded(g *gateway.Gateway, all ...provider.Provider) (guarded []*guard.Guard) {
	for _, p := range all {
		guarded = append(guarded, guard.New(p, g.Ledger, host.Machine(), g.Log))
	}
	return guarded
}

// Webhook posts a webhook as a provider or a forger would.
func (w *World) Webhook(route, token string, header http.Header, body string) Answer {
	w.t.Helper()
	var values []string
	if token != "" {
		values = append(values, token)
	}
	r := cloud.Request(route, values...)
	for name := range header {
		r.Headers[strings.ToLower(name)] = header.Get(name)
	}
	r.Headers["content-type"] = "application/json"
	r.Body = body
	return w.Call(context.Background(), r)
}

// webhookRoute finds the registered route that a path takes, and its token.
func webhookRoute(method, path string) (route, token string) {
	for _, r := range providers.All() {
		for _, route := range r.Callbacks.Routes {
			start, parameter, _ := strings.Cut(route, "{")
			rest, ok := strings.CutPrefix(method+" "+path, start)
			if ok && (parameter == "token}" && rest != "" && !strings.Contains(rest, "/") || parameter == "" && rest == "") {
				return route, rest
			}
		}
	}
	return "", ""
}
