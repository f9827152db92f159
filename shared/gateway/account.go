package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// account finds the account that made a payment. Every question about the
// payment goes there, whatever accounts have been added since.
func (g *Gateway) account(p payment.Payment) (*guard.Guard, bool) {
	for _, prov := range g.Providers {
		if caps := prov.Capabilities(); caps.Name == p.Provider && caps.ID() == p.AccountID() {
			return prov, true
		}
	}
	return nil, false
}

// missingAccount reports that the account of a payment is not configured. The
// payment waits: no other account knows it.
func (g *Gateway) missingAccount(ctx context.Context, p ledger.Payment) error {
	g.Log.ErrorContext(ctx, "provider.account", "provider", p.Provider, "account", p.AccountID(), "reference", p.Reference,
		"code", "ACCOUNT_MISSING", "reason", "the account has open payments and is not configured")
	return fmt.Errorf("%w: account %s", ErrUnconfigured, p.AccountID())
}

// accounts are those with a provider; of the default one without a name.
func (g *Gateway) accounts(name string) []*guard.Guard { return ofProvider(g.Providers, name) }

// ofProvider picks the accounts with a provider; with the first one's without
// a name.
func ofProvider(among []*guard.Guard, name string) []*guard.Guard {
	if name == "" && len(among) > 0 {
		name = among[0].Capabilities().Name
	}
	all := make([]*guard.Guard, 0, len(among))
	for _, prov := range among {
		if prov.Capabilities().Name == name {
			all = append(all, prov)
		}
	}
	return all
}

// open are the accounts that an app may use.
func (g *Gateway) open(r Request) []*guard.Guard {
	if len(r.MayUse) == 0 {
		return g.Providers
	}
	return slices.DeleteFunc(slices.Clone(g.Providers), func(prov *guard.Guard) bool {
		return !slices.Contains(r.MayUse, prov.Capabilities().ID())
	})
}

// chooseAccount finds the account that a request is for, among those that its
// app may use: the one it names, else one of its currency and of the market
// that its payer's number is of.
// Accounts of one market and currency count as one: they share its orders as
// their NewPayments say.
func (g *Gateway) chooseAccount(ctx context.Context, r Request) (*guard.Guard, *Fault) {
	open := g.open(r)
	all := ofProvider(open, r.Provider)
	if len(all) == 0 {
		return nil, g.noAccount(r.Provider, open)
	}
	name := all[0].Capabilities().Name
	if r.Account != "" {
		for _, prov := range all {
			if prov.Capabilities().ID() == r.Account {
				return prov, nil
			}
		}
		if len(r.MayUse) > 0 {
			return nil, &Fault{"account", fmt.Sprintf("is none of provider %s's that this app may use; it may use: %s", name, ids(all))}
		}
		return nil, &Fault{"account", fmt.Sprintf("is none of provider %s's; there are: %s", name, ids(all))}
	}
	if len(all) == 1 {
		return all[0], nil // there is none to leave its payments to
	}
	narrow := func(fits func(provider.Capabilities) bool) {
		left := slices.DeleteFunc(slices.Clone(all), func(prov *guard.Guard) bool { return !fits(prov.Capabilities()) })
		if len(left) > 0 { // else the account taken says what is wrong
			all = left
		}
	}
	if r.Currency != "" {
		narrow(func(c provider.Capabilities) bool { return c.Currency == r.Currency })
	}
	narrow(func(c provider.Capabilities) bool {
		_, err := readPayer(r.PartyID, c)
		return err == nil
	})
	first := all[0].Capabilities()
	for _, prov := range all {
		if c := prov.Capabilities(); c.Currency != first.Currency || c.Plan != first.Plan {
			return nil, &Fault{"account", fmt.Sprintf("is required, because several fit: %s", ids(all))}
		}
	}
	chosen := g.share(ctx, all, r.ExternalID)
	if chosen == nil {
		return nil, &Fault{"account", fmt.Sprintf("is required, because none takes new payments by itself: %s", ids(all))}
	}
	return chosen, nil
}

// noAccount says why an app has no account with a provider among those that are
// open to it.
func (g *Gateway) noAccount(name string, open []*guard.Guard) *Fault {
	if len(g.accounts(name)) > 0 {
		return &Fault{"provider", fmt.Sprintf("has no account that this app may use; it may use: %s", cmp.Or(ids(open), "none"))}
	}
	return &Fault{"provider", fmt.Sprintf("is not configured here; configured: %s", g.providerNames())}
}

// share picks the account of an order among those of one market. One order
// comes to the same account as long as their shares stay. Those with a share
// of their own come first, and what they leave goes to the first of the
// others; to the last with a share, if there is no other. An account whose
// share cannot be read may be one that is to get nothing: it comes last.
func (g *Gateway) share(ctx context.Context, all []*guard.Guard, order string) *guard.Guard {
	if len(all) == 1 {
		return all[0]
	}
	sum := sha256.Sum256([]byte(order))
	lot := int(binary.BigEndian.Uint32(sum[:]) % 100)
	var chosen, rest, last, unread *guard.Guard
	for _, prov := range all {
		percent, set, err := g.Ledger.NewPayments(ctx, prov.Capabilities().ID(), g.now())
		if err != nil {
			g.Log.WarnContext(ctx, "account.unread", "account", prov.Capabilities().ID(), "error", err.Error())
		}
		switch {
		case err != nil:
			unread = cmp.Or(unread, prov)
		case !set:
			rest = cmp.Or(rest, prov)
		case lot < percent && chosen == nil:
			chosen = prov
		case percent > 0:
			last = prov
		}
		if set {
			lot -= percent
		}
	}
	return cmp.Or(chosen, rest, last, unread)
}

func ids(all []*guard.Guard) string {
	names := make([]string, len(all))
	for i, prov := range all {
		names[i] = prov.Capabilities().ID()
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
