package payments

import (
	"cmp"
	"errors"
	"fmt"

	"momoproxy/shared/assembly"
	"momoproxy/shared/gateway"
	"momoproxy/shared/provider"
)

// Refunds builds the use cases of refunds with what gives money back.
func Refunds(p assembly.Parts) (*gateway.Refunds, error) {
	refunders, err := Refunders(p)
	return RefundsOver(p, refunders), err
}

// RefundsOver builds them over adapters by account id that are there already.
// Without any, refunds are requested and settled, and nobody is asked.
func RefundsOver(p assembly.Parts, refunders map[string]provider.Refunder) *gateway.Refunds {
	return &gateway.Refunds{Ledger: p.Ledger, Refunders: refunders, Doorbell: p.Doorbell(), Now: p.Now, Log: p.Log}
}

// Refunders builds what gives money back, by account id. All faults are reported
// at once. An account that pays out where another one of the same id collects
// must have its currency, and move real money only where that one does. The
// refunds function reads no accounts that collect: there the reconciler, which
// reads both, refuses, and gateway.Refunds holds each payment to the currency.
func Refunders(p assembly.Parts) (map[string]provider.Refunder, error) {
	all := map[string]provider.Refunder{}
	if len(p.Payouts) == 0 {
		return all, nil
	}
	collecting, err := Providers(p)
	faults := []error{err}
	for _, account := range p.Payouts {
		r, _ := p.Registration(account.Provider)
		id := cmp.Or(account.ID, r.Name)
		err := r.PayoutAccounts().Check(account)
		var refunder provider.Refunder
		if err == nil {
			refunder, err = r.NewRefunder(account, provider.Parts{
				Host: p.Host, Tokens: p.Ledger.ProviderTokens(p.Now), TokenExchange: auditTokenCall(p),
			})
		}
		if err == nil && all[id] != nil {
			err = errors.New("two of this name")
		}
		for _, prov := range collecting {
			if c := prov.Capabilities(); err == nil && c.ID() == id {
				err = fit(c, refunder.Capabilities())
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("payouts of account %s: %w", id, err))
			continue
		}
		all[id] = refunder
	}
	return all, errors.Join(faults...)
}

// fit says whether one account may refund what another one collected.
func fit(collects, pays provider.Capabilities) error {
	switch {
	case collects.Production != pays.Production:
		return errors.New("one of it and the account that collects moves real money, the other does not")
	case collects.Currency != pays.Currency:
		return fmt.Errorf("its currency is %s, the account that collects has %s", pays.Currency, collects.Currency)
	}
	return nil
}
