package gateway

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// match finds the payments a callback may be about: by its path if the token
// is right, else by the ids in its body. sure is false when those ids lead to
// different payments: then the callback is a hint for each of them, signed or
// not.
func (g *Gateway) match(ctx context.Context, c Callback, claim provider.Callback, from *guard.Guard) (found []ledger.Payment, sure bool, why string, err error) {
	// The secret of one account is no word about another's payments.
	mine := func(p ledger.Payment) bool {
		return p.Provider == c.Provider && (claim.Standing == provider.Anonymous || p.AccountID() == from.Capabilities().ID())
	}
	if c.Reference != "" {
		p, err := g.Ledger.Payment(ctx, c.Reference)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			return nil, true, "unknown reference", nil
		case err != nil:
			return nil, false, "", err
		case p.Provider != c.Provider || subtle.ConstantTimeCompare([]byte(tokenHash(c.Token)), []byte(p.CallbackTokenHash)) != 1:
			return nil, true, "wrong token", nil
		}
		return []ledger.Payment{p}, true, "", nil
	}
	if claim.Standing == provider.Signed {
		found, sure, err = g.matchSigned(ctx, c.Provider, claim, mine)
	} else {
		found, err = g.matchAny(ctx, c.Provider, claim, mine)
	}
	if err == nil && len(found) == 0 {
		why = "no payment has its ids"
	}
	return found, sure, why, err
}

// matchSigned finds the payment that a signed body names by its reference,
// and every other that has one of its ids. The name is sure when each id that
// is known here belongs to the payment named. An app's order id is never
// looked at: what is signed speaks of our reference.
func (g *Gateway) matchSigned(ctx context.Context, providerName string, claim provider.Callback, mine func(ledger.Payment) bool) (found []ledger.Payment, sure bool, err error) {
	named := claim.Evidence.Reference
	if payment.IsReference(named) {
		p, err := g.Ledger.Payment(ctx, named)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
		case err != nil:
			return nil, false, err
		case mine(p):
			found, sure = append(found, p), true
		}
	}
	for _, id := range claim.ProviderIDs {
		owners, err := g.find(ctx, ledger.ID{Provider: providerName, ProviderID: id}, mine)
		if err != nil {
			return nil, false, err
		}
		has := func(reference string) func(ledger.Payment) bool {
			return func(p ledger.Payment) bool { return p.Reference == reference }
		}
		if len(owners) > 0 && !slices.ContainsFunc(owners, has(named)) {
			sure = false
		}
		for _, p := range owners {
			if !slices.ContainsFunc(found, has(p.Reference)) {
				found = append(found, p)
			}
		}
	}
	return found, sure, nil
}

// matchAny finds payments by the first id that leads to any: the provider's
// ids, then references and order ids. What is found is only asked about.
func (g *Gateway) matchAny(ctx context.Context, providerName string, claim provider.Callback, mine func(ledger.Payment) bool) ([]ledger.Payment, error) {
	var ids []ledger.ID
	for _, id := range claim.ProviderIDs {
		ids = append(ids, ledger.ID{Provider: providerName, ProviderID: id})
	}
	for _, id := range claim.IDs {
		ids = append(ids, ledger.ID{Named: id})
	}
	for _, id := range ids {
		if found, err := g.find(ctx, id, mine); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// find finds the payments with an id that are mine.
func (g *Gateway) find(ctx context.Context, id ledger.ID, mine func(ledger.Payment) bool) ([]ledger.Payment, error) {
	found, err := g.Ledger.FindPayments(ctx, id)
	return slices.DeleteFunc(found, func(p ledger.Payment) bool { return !mine(p) }), err
}
