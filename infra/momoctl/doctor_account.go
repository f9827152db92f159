package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/infra/operator"
	"momoproxy/shared/provider"
)

// examineAccount looks at one account through an adapter of its own, so that
// nothing is taken from a cache.
func (p *patient) examineAccount(ctx context.Context, r provider.Registration, a provider.Account) []provider.Finding {
	asked := 0
	adapter, err := r.New(a, provider.Parts{Host: p.parts.Host, Client: p.network.client(), Tokens: noTokens{}, TokenExchange: func(context.Context, provider.Exchange) { asked++ }})
	if err := errors.Join(r.Check(a), err); err != nil {
		return []provider.Finding{{Check: "settings", State: provider.Fault, Found: strings.ReplaceAll(err.Error(), "\n", "; "),
			Next: "Correct the account's variables: " + r.Names() + "."}}
	}
	found := p.credentials(ctx, adapter, &asked)
	found = append(found, p.clockOf(ctx, adapter)...)
	found = append(found, p.circuit(ctx, a, adapter)...)
	if own, ok := adapter.(provider.Examiner); ok {
		found = append(found, own.Examine(ctx, p.Surroundings)...)
	}
	return found
}

// credentials asks for a token, where the provider has tokens.
func (p *patient) credentials(ctx context.Context, adapter provider.Provider, asked *int) []provider.Finding {
	begin := p.now()
	err := adapter.Maintain(ctx)
	took := p.now().Sub(begin).Round(100 * time.Millisecond)
	f := provider.Finding{Check: "credentials", State: provider.Fine, Found: fmt.Sprintf("they give a token, in %s", took)}
	base := adapter.Capabilities().BaseURL
	switch {
	case errors.Is(err, provider.ErrCredentials):
		f.State, f.Found = provider.Fault, err.Error()
		f.Next = "Take user, key and subscription key that belong to " + base + ": one platform's never work on another. Store them, and start the functions anew (docs/operate.md)."
	case err != nil:
		f.State, f.Found, f.Next = provider.Fault, err.Error(), "Is "+base+" right, up, and open to your address?"
	case *asked == 0:
		return nil // its key goes with each request
	}
	return []provider.Finding{f}
}

// circuit says whether new payments of the account are refused just now.
func (p *patient) circuit(ctx context.Context, a provider.Account, adapter provider.Provider) []provider.Finding {
	id := a.ID
	if id == "" {
		id = adapter.Capabilities().Name
	}
	f := provider.Finding{Check: "circuit", State: provider.Fine, Found: "closed: new payments are taken"}
	switch h, err := p.ledger.FreshHealth(ctx, id); {
	case err != nil:
		f.State, f.Found, f.Next = provider.Fault, err.Error(), "The table does not answer: see momoctl status."
	case h.Open():
		f.State, f.Found, f.Next = provider.Fault, fmt.Sprintf("open after %s: new payments get 503", plural(h.Failures(), "failure")), "See momoctl status; it closes by itself when the provider answers."
	}
	return []provider.Finding{f}
}

// missingAccounts: payments wait for accounts that are no longer configured.
func missingAccounts(ctx context.Context, p *patient) []provider.Finding {
	f := provider.Finding{Check: "accounts", State: provider.Fine, Found: fmt.Sprintf("%s configured; every open payment has its account", plural(len(p.parts.Accounts), "account is", "accounts are"))}
	counted, err := operator.Operator{Ledger: p.ledger, Now: p.clock}.CountOpen(ctx)
	if err != nil {
		f.State, f.Found, f.Next = provider.Fault, err.Error(), "The table does not answer: see momoctl status."
		return []provider.Finding{f}
	}
	open := counted.ByAccount
	for _, a := range p.parts.Accounts {
		delete(open, a.Provider)
		delete(open, a.ID)
	}
	for id, n := range open {
		f.State, f.Found, f.Next = provider.Fault, fmt.Sprintf("%s of account %s wait, which is not configured", plural(n, "open payment"), id), "Configure it again until they have ended."
	}
	return []provider.Finding{f}
}

// noTokens is a token store that keeps nothing: doctor wants to see a token
// made.
type noTokens struct{}

func (noTokens) Load(context.Context, string) (provider.StoredToken, error) {
	return provider.StoredToken{}, nil
}

func (noTokens) AcquireRefresh(context.Context, string, time.Duration, bool) (int64, bool, error) {
	return 1, true, nil
}

func (noTokens) Save(context.Context, string, int64, provider.StoredToken) error { return nil }

func (noTokens) Release(context.Context, string, int64) error { return nil }
