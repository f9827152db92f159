package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"momoproxy/infra/console"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
)

// standins are the providers inside this process, by name. A provider that is
// missing is an account of its own.
type standins struct {
	byProvider map[string]standin.Standin

	mu   sync.Mutex
	down map[string]bool
}

func (s *standins) of(provider string, stand standin.Standin) {
	if s.byProvider == nil {
		s.byProvider, s.down = map[string]standin.Standin{}, map[string]bool{}
	}
	s.byProvider[provider] = stand
}

// playground is what a person at the console can have happen: the payer acts,
// a provider or the app is down, time passes. It implements console.Local.
type playground struct{ *system }

// What Control takes.
const (
	approve = "approve"
	decline = "decline"
	expire  = "expire"
	lose    = "lose"   // approve, and no callback comes
	repeat  = "repeat" // the callback of the ending, again
	forge   = "forge"  // somebody else says that it was paid
)

func (p *playground) State() console.LocalState {
	s := console.LocalState{AppURL: p.appURL, AppDown: p.app.down.Load(), Payers: payers(), Triggers: triggerNames()}
	if ahead := p.clock.Ahead(); ahead > 0 {
		s.Ahead, s.AheadMs = ahead.Round(time.Second).String(), ahead.Milliseconds()
	}
	return s
}

func (p *playground) Standin(provider string) (standin, down bool) {
	p.standins.mu.Lock()
	defer p.standins.mu.Unlock()
	return p.standins.byProvider[provider] != nil, p.standins.down[provider]
}

func (p *playground) Controls(of console.Payment) []string {
	if standin, _ := p.Standin(of.Provider); !standin || !of.Accepted {
		return nil
	}
	if !of.Open() {
		return []string{repeat, forge}
	}
	if kind, _ := standin.Named(of.Provider); slices.Contains(kind.Profile().NoDecline, of.Method) {
		return []string{approve, expire, lose, forge}
	}
	return []string{approve, decline, expire, lose, forge}
}

func (p *playground) Control(_ context.Context, of console.Payment, what string) error {
	if !slices.Contains(p.Controls(of), what) {
		return console.Refuse("The stand-in cannot do that with this payment as it is.")
	}
	err := control(p.standins.byProvider[of.Provider], of, what)
	switch {
	case errors.Is(err, core.ErrStale):
		return console.Refuse("The payer has paid already.")
	case errors.Is(err, core.ErrUnknown):
		return console.Refuse("The stand-in does not know this payment.")
	}
	return err
}

func control(stand standin.Standin, of console.Payment, what string) (err error) {
	id := of.Reference
	for _, known := range of.ProviderIDs { // a provider that is told no reference of ours
		if _, ok := stand.Payment(known); ok {
			id = known
		}
	}
	switch what {
	case approve, lose:
		err = stand.SetOutcome(id, core.Approve, "", what == approve)
	case decline:
		err = stand.SetOutcome(id, core.Decline, "", true)
	case expire:
		err = stand.SetOutcome(id, core.Expire, "", true)
	case repeat:
		_, err = stand.SendCallback(id, core.Notice{})
	case forge:
		_, err = stand.SendCallback(id, core.Notice{Status: core.Approve, Forged: stand.Forgeries()[0]})
	}
	return err
}

// Pay asks the gateway over HTTP, as an app does.
func (p *playground) Pay(ctx context.Context, body []byte) (code int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.gatewayURL+"/request-to-pay", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Proxy-Api-Key", demoKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// SetProviderDown has a stand-in answer every request with an error. Rules
// that were added by its control API go when it comes back.
func (p *playground) SetProviderDown(provider string, down bool) error {
	if standin, was := p.Standin(provider); !standin {
		return console.Refuse("There is no stand-in of " + provider + " here.")
	} else if was == down {
		return nil
	}
	stand := p.standins.byProvider[provider]
	stand.ClearRules()
	if down {
		if err := stand.AddRule(core.Rule{Fault: core.Error503Before}); err != nil {
			return err
		}
	}
	p.standins.mu.Lock()
	defer p.standins.mu.Unlock()
	p.standins.down[provider] = down
	return nil
}

func (p *playground) SetAppDown(down bool) error {
	p.app.down.Store(down)
	return nil
}

func (p *playground) Forward(by time.Duration) error { return p.clock.Forward(by) }

// payers are the ways to go that the page offers. infra/standin/README.md has
// all of them.
func payers() (all []console.Payer) {
	for _, kind := range standin.All() {
		for _, o := range kind.Profile().Offered {
			all = append(all, console.Payer{Name: o.Name, Provider: o.Provider, Method: o.Method, Number: o.Payer, Amount: o.Amount})
		}
	}
	return all
}
