package console

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"momoproxy/infra/operator"
	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
)

// account is an account with a provider as its page shows it.
type account struct {
	operator.Account
	ProviderName string `json:"providerName,omitempty"`
	// Shared: another account of its market and currency is configured, so
	// that they share its new payments.
	Shared bool `json:"shared"`
}

type accountList struct {
	Accounts []account `json:"accounts"`
	// CountedAt is when the open payments were counted.
	CountedAt time.Time `json:"countedAt"`
}

// countEvery is how often the open payments are counted while the page is
// looked at, in readings of a page: each open payment is read.
const countEvery = 10

// counted keeps the last count of open payments. Safe for concurrent use.
type counted struct {
	mu sync.Mutex
	at time.Time
	n  operator.OpenPayments
}

func (o *counted) read(ctx context.Context, by operator.Operator, maxAge time.Duration) (operator.OpenPayments, time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := by.Now()
	if o.at.IsZero() || now.Sub(o.at) >= maxAge || now.Before(o.at) {
		n, err := by.CountOpen(ctx)
		if err != nil {
			return n, now, err
		}
		o.at, o.n = now, n
	}
	return o.n, o.at, nil
}

// configured are the accounts at hand; none when no provider can be asked.
func (c *Console) configured() []*guard.Guard {
	if c.Ask == nil {
		return nil
	}
	return c.Ask.Providers
}

// accountList lists the accounts and what is open on each. check also tries
// their credentials.
func (c *Console) accountList(ctx context.Context, check bool) (any, error) {
	n, at, err := c.open.read(ctx, c.person(), countEvery*c.Every)
	if err != nil {
		return nil, err
	}
	all := c.configured()
	found, err := c.person().Accounts(ctx, all, n, check)
	if err != nil {
		return nil, err
	}
	v := accountList{Accounts: []account{}, CountedAt: at}
	for i, a := range found {
		shown := account{Account: a, ProviderName: providerName(a.Provider)}
		own := all[i].Capabilities()
		for j, other := range all {
			o := other.Capabilities()
			shown.Shared = shown.Shared || i != j && o.Name == own.Name && o.Currency == own.Currency && o.Plan == own.Plan
		}
		v.Accounts = append(v.Accounts, shown)
	}
	for _, a := range n.Missing(all) {
		v.Accounts = append(v.Accounts, account{Account: a})
	}
	return v, nil
}

// checkAccounts tries the credentials of each account.
func (c *Console) checkAccounts(ctx context.Context) (any, error) {
	if c.Ask == nil {
		return nil, refusal("The accounts are not at hand. " + c.AskFault)
	}
	return c.accountList(ctx, true)
}

// setShare sets an account's share of its market's new payments.
func (c *Console) setShare(ctx context.Context, id string, percent *int) error {
	switch {
	case c.Ask == nil:
		return refusal("The accounts are not at hand. " + c.AskFault)
	case percent == nil || *percent < 0 || *percent > 100:
		return refusal("The share must be 0 to 100 percent.")
	}
	_, err := c.person().SetNewPayments(ctx, c.configured(), id, *percent)
	if errors.Is(err, ledger.ErrNotFound) {
		return refusal(fmt.Sprintf("There is no account %q.", id))
	}
	return stale(err)
}
