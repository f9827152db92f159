package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"momoproxy/shared/gateway"
	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// Account is one account with a provider and what stands on it.
type Account struct {
	ID         string `json:"account"`
	Provider   string `json:"provider"`
	Currency   string `json:"currency"`
	BaseURL    string `json:"baseUrl"`
	Production bool   `json:"production"`
	// NewPayments is its share of its market's new payments; nil: what the
	// others leave.
	NewPayments *int `json:"newPaymentsPercent"`
	Open        int  `json:"openPayments"`
	// Truncated: Open is a lower bound.
	Truncated bool `json:"truncated,omitempty"`
	// Missing: it has open payments and is not configured.
	Missing bool `json:"missing,omitempty"`
	// Checked: its credentials were tried just now. Error is why they were not
	// taken. NoToken: there is nothing to try, because they go with each
	// request.
	Checked bool   `json:"checked"`
	Error   string `json:"error,omitempty"`
	NoToken bool   `json:"noToken,omitempty"`
}

// Accounts lists these accounts, and tries their credentials if check is set.
func (o Operator) Accounts(ctx context.Context, all []*guard.Guard, n OpenPayments, check bool) ([]Account, error) {
	list := []Account{}
	for _, p := range all {
		c := p.Capabilities()
		a := Account{
			ID: c.ID(), Provider: c.Name, Currency: c.Currency, BaseURL: c.BaseURL, Production: c.Production, Checked: check,
			Open: n.ByAccount[c.ID()], Truncated: n.Truncated,
		}
		percent, set, err := o.Ledger.NewPayments(ctx, a.ID, ledger.Clock(o.Now()))
		if err != nil {
			return nil, err
		}
		if set {
			a.NewPayments = &percent
		}
		if trier, ok := provider.TriesToken(p.Provider); !check {
		} else if a.NoToken = !ok; ok {
			if err := trier.TryToken(ctx); err != nil {
				a.Error = err.Error()
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// Missing lists the accounts that have open payments and are not among all.
// Those payments wait.
func (n OpenPayments) Missing(all []*guard.Guard) []Account {
	list := []Account{}
	for _, id := range slices.Sorted(maps.Keys(n.ByAccount)) {
		if !slices.ContainsFunc(all, func(p *guard.Guard) bool { return p.Capabilities().ID() == id }) {
			list = append(list, Account{ID: id, Open: n.ByAccount[id], Truncated: n.Truncated, Missing: true})
		}
	}
	return list
}

// SetNewPayments sets an account's share of its market's new payments, 0 to
// 100 percent. ledger.ErrNotFound: it is not among all.
func (o Operator) SetNewPayments(ctx context.Context, all []*guard.Guard, account string, percent int) (*guard.Guard, error) {
	i := slices.IndexFunc(all, func(p *guard.Guard) bool { return p.Capabilities().ID() == account })
	if i < 0 {
		return nil, fmt.Errorf("account %s is %w", account, ledger.ErrNotFound)
	}
	return all[i], o.Ledger.SetNewPayments(ctx, account, percent, ledger.AuditRecord{
		At: ledger.Clock(o.Now()), Direction: ledger.OutboundToProvider, Method: gateway.OperatorMethod, URL: "account/" + account,
		Note: fmt.Sprintf("operator %s: %d percent of the new payments", o.Name, percent),
	})
}
