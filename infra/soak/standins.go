package main

import (
	"time"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/ledger"
)

// provider is one, served at an address.
type provider struct {
	standin.Standin
	profile core.Profile
	address string
	stop    func()
}

// profileOf is what there is to know of a provider by its name.
func profileOf(provider string) core.Profile {
	kind, known := standin.Named(provider)
	if !known {
		return core.Profile{}
	}
	return kind.Profile()
}

// entry is what a provider's books say of one payment.
type entry struct {
	provider    string
	submissions int // requests that could have made it
	made        int // times it was made
	charges     int // times money moved
	ended       bool
	status      string
	since       time.Time // of status
	invoiced    bool
}

// startProviders makes an account of each, and tells the local system where
// they are.
func (w *world) startProviders() error {
	for _, kind := range standin.All() {
		times := kind.Times
		times.Approve, times.Slow, times.Late, times.Repeat = 300*time.Millisecond, 3*time.Second, 5*time.Second, 5*time.Second
		times.Lag, times.Ongoing, times.Expire, times.Invoice = 3*time.Second, 5*time.Second, 20*time.Second, time.Second
		s, err := kind.Start(core.Options{Times: times, Most: 1_000_000}, "http://"+w.address)
		if err != nil {
			return err
		}
		p := &provider{Standin: s, profile: kind.Profile()}
		if p.address, p.stop, err = standin.Serve(s.Handler(), "127.0.0.1:0"); err != nil {
			return err
		}
		w.providers = append(w.providers, p)
		variables := s.Variables(p.address)
		for name, value := range variables {
			w.environment = append(w.environment, name+"="+value)
		}
		for _, r := range providers.All() {
			for _, v := range r.Variables {
				if value := variables[v.Name]; v.Secret && value != "" {
					w.secrets = append(w.secrets, value)
				}
			}
		}
	}
	return nil
}

// entries are the providers' books by our references. What none of our
// payments accounts for is under the provider's own.
func (w *world) entries(ours map[string]ledger.Story) map[string]entry {
	byAmount := map[string]string{} // of providers that are told nothing else of ours
	for r, s := range ours {
		byAmount[s.Payment.Provider+" "+s.Payment.Amount.Decimal()] = r
	}
	all := map[string]entry{}
	for _, p := range w.providers {
		for _, e := range p.Ledger() {
			reference := e.Reference
			if p.profile.Nameless {
				if reference = byAmount[e.Provider+" "+e.Amount]; reference == "" {
					reference = "the payment of " + e.Amount + " at " + e.Provider
				}
			}
			sum := all[reference]
			sum.provider = e.Provider
			if p.profile.Nameless { // each request is an entry of its own
				sum.submissions += e.Asks
				sum.made += e.Accepted
			} else {
				sum.submissions, sum.made = e.Asks, e.Accepted
			}
			sum.charges += e.Charges
			if e.Accepted > 0 {
				sum.ended, sum.status, sum.since, sum.invoiced = e.Ended, e.Status, e.Since, e.InvoiceURL != ""
			}
			all[reference] = sum
		}
	}
	return all
}
