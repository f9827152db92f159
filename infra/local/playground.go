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
	"momoproxy/infra/sandbox"
	momentbox "momoproxy/infra/sandbox/momentpay"
	facturabox "momoproxy/infra/sandbox/momfactura"
)

// standins are the providers inside this process; nil: that provider is an
// account of its own.
type standins struct {
	mtn     *sandbox.Sandbox
	factura *facturabox.Sandbox
	moment  *momentbox.Sandbox

	mu   sync.Mutex
	down map[string]bool
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
	switch provider {
	case "mtn":
		standin = p.standins.mtn != nil
	case "mom-factura":
		standin = p.standins.factura != nil
	case "momentpay":
		standin = p.standins.moment != nil
	}
	return standin, p.standins.down[provider]
}

func (p *playground) Controls(of console.Payment) []string {
	if standin, _ := p.Standin(of.Provider); !standin || !of.Accepted {
		return nil
	}
	if !of.Open() {
		return []string{repeat, forge}
	}
	if of.Provider == "momentpay" && of.Method == "link" { // a link cannot fail
		return []string{approve, expire, lose, forge}
	}
	return []string{approve, decline, expire, lose, forge}
}

func (p *playground) Control(_ context.Context, of console.Payment, what string) error {
	if !slices.Contains(p.Controls(of), what) {
		return console.Refuse("The stand-in cannot do that with this payment as it is.")
	}
	var err error
	switch of.Provider {
	case "mtn":
		err = controlMTN(p.standins.mtn, of.Reference, what)
	case "mom-factura":
		err = controlFactura(p.standins.factura, of, what)
	case "momentpay":
		err = controlMoment(p.standins.moment, of.Reference, what)
	}
	switch {
	case errors.Is(err, sandbox.ErrStale), errors.Is(err, facturabox.ErrStale), errors.Is(err, momentbox.ErrStale):
		return console.Refuse("The payer has paid already.")
	case errors.Is(err, sandbox.ErrUnknown), errors.Is(err, facturabox.ErrUnknown), errors.Is(err, momentbox.ErrUnknown):
		return console.Refuse("The stand-in does not know this payment.")
	}
	return err
}

func controlMTN(world *sandbox.Sandbox, reference, what string) (err error) {
	switch what {
	case approve, lose:
		err = world.SetOutcome(reference, "SUCCESSFUL", "", what == approve)
	case decline:
		err = world.SetOutcome(reference, "FAILED", "APPROVAL_REJECTED", true)
	case expire:
		err = world.SetOutcome(reference, "FAILED", "EXPIRED", true)
	case repeat:
		_, err = world.SendCallback(reference, sandbox.Extra{})
	case forge:
		_, err = world.SendCallback(reference, sandbox.Extra{Status: "SUCCESSFUL", Forged: true})
	}
	return err
}

func controlFactura(world *facturabox.Sandbox, of console.Payment, what string) (err error) {
	id := ""
	for _, known := range of.ProviderIDs {
		if _, ok := world.Payment(known); ok {
			id = known
		}
	}
	switch what {
	case approve, lose:
		err = world.SetOutcome(id, facturabox.Paid, what == approve)
	case decline:
		err = world.SetOutcome(id, facturabox.Rejected, true)
	case expire:
		err = world.SetOutcome(id, facturabox.Expired, true)
	case repeat:
		status := map[string]string{"SUCCESSFUL": "1", "FAILED": "4"}[of.Status]
		if status == "" {
			status = "3"
		}
		_, err = world.SendWebhook(id, facturabox.Webhook{Event: facturabox.EventConfirmed, Status: status})
	case forge:
		_, err = world.SendWebhook(id, facturabox.Webhook{Event: facturabox.EventConfirmed, Status: "1", Forged: true})
	}
	return err
}

func controlMoment(world *momentbox.Sandbox, reference, what string) (err error) {
	switch what {
	case approve, lose:
		err = world.SetOutcome(reference, "paid", "", what == approve)
	case decline:
		err = world.SetOutcome(reference, "failed", "DECLINED", true)
	case expire:
		err = world.SetOutcome(reference, "expired", "", true)
	case repeat:
		_, err = world.SendWebhook(reference, momentbox.Extra{Kind: "updated"})
	case forge:
		_, err = world.SendWebhook(reference, momentbox.Extra{Status: "paid", Forged: momentbox.OtherSecret})
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
	var err error
	switch provider {
	case "mtn":
		p.standins.mtn.ClearRules()
		if down {
			err = p.standins.mtn.AddRule(sandbox.Rule{Fault: sandbox.Unavailable})
		}
	case "mom-factura":
		p.standins.factura.ClearRules()
		if down {
			err = p.standins.factura.AddRule(facturabox.Rule{Fault: facturabox.Error500Before})
		}
	case "momentpay":
		p.standins.moment.ClearRules()
		if down {
			err = p.standins.moment.AddRule(momentbox.Rule{Fault: momentbox.Error503Before})
		}
	}
	if err != nil {
		return err
	}
	p.standins.mu.Lock()
	defer p.standins.mu.Unlock()
	if p.standins.down == nil {
		p.standins.down = map[string]bool{}
	}
	p.standins.down[provider] = down
	return nil
}

func (p *playground) SetAppDown(down bool) error {
	p.app.down.Store(down)
	return nil
}

func (p *playground) Forward(by time.Duration) error { return p.clock.Forward(by) }

// payers are the ways to go that the page offers. infra/sandbox/README.md has
// all of them.
func payers() []console.Payer {
	mtn := func(name, plan string) console.Payer {
		return console.Payer{Name: name, Provider: "mtn", Number: sandbox.Payer(plan), Amount: "150.00"}
	}
	return []console.Payer{
		mtn("Does nothing: you play the payer", sandbox.PlanPending),
		mtn("Approves after a second", sandbox.PlanSuccess),
		mtn("Declines", "failed_approval_rejected"),
		mtn("Has too little money", "failed_not_enough_funds"),
		mtn("Approves, and the callback is lost", "callback_lost"),
		mtn("Declines, and somebody forges a callback", "callback_forged"),
		mtn("Approves, and the answer to the request is lost", "reset_after"),
		mtn("Never gets the request: the answer is an error", "error503"),
		mtn("Has no wallet: refused at once", "refused_payer_not_found"),
		mtn("Approves, but the status names another amount", "status_wrong_amount"),
		{Name: "Bank reference: you play the payer", Provider: "mom-factura", Method: "reference", Amount: "15000.10"},
		{Name: "Bank reference, paid after a second", Provider: "mom-factura", Method: "reference", Amount: "15000.00"},
		{Name: "Payment link: you play the payer", Provider: "momentpay", Method: "link", Amount: "150.51"},
		{Name: "Payment link, paid after a second", Provider: "momentpay", Method: "link", Amount: "150.00"},
	}
}
