package payments

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// Providers builds the adapters of the accounts; the first is the default.
// Unsigned callbacks are never trusted beside an account that moves real
// money.
func Providers(p assembly.Parts) ([]provider.Provider, error) {
	var all []provider.Provider
	var faults []error
	for _, account := range p.Accounts {
		r, _ := p.Registration(account.Provider)
		err := r.Check(account)
		var prov provider.Provider
		if err == nil {
			prov, err = r.New(account, provider.Parts{
				Host: p.Host, Tokens: p.Ledger.ProviderTokens(p.Now), TokenExchange: auditTokenCall(p),
			})
		}
		if err == nil && account.ID != "" && account.ID != r.Name {
			prov = inAccount{prov, account.ID}
		}
		switch {
		case err != nil && account.ID != "":
			faults = append(faults, fmt.Errorf("account %s: %w", account.ID, err))
		case err != nil:
			faults = append(faults, err)
		case slices.ContainsFunc(all, func(other provider.Provider) bool { return other.Capabilities().ID() == prov.Capabilities().ID() }):
			faults = append(faults, fmt.Errorf("two accounts are named %s", prov.Capabilities().ID()))
		case prov.Capabilities().Production && p.Config.CallbackPolicy == config.Trust:
			faults = append(faults, fmt.Errorf("%w: provider %s", config.ErrTrusted, r.Name))
		default:
			all = append(all, prov)
		}
	}
	return all, errors.Join(faults...)
}

// inAccount is an adapter of one of several accounts.
type inAccount struct {
	provider.Provider
	id string
}

// Capabilities implements provider.Provider.
func (a inAccount) Capabilities() provider.Capabilities {
	c := a.Provider.Capabilities()
	c.Account = a.id
	return c
}

// Unwrap is the adapter itself, for provider.Examines.
func (a inAccount) Unwrap() provider.Provider { return a.Provider }

// auditTokenCall records the calls that fetch a provider token; they belong
// to no payment.
func auditTokenCall(p assembly.Parts) func(context.Context, provider.Exchange) {
	return func(ctx context.Context, x provider.Exchange) {
		err := p.Ledger.Audit(ctx, ledger.AuditRecord{
			At: ledger.Clock(x.Started), Direction: ledger.OutboundToProvider, Method: x.Method, URL: x.URL,
			RequestBody: x.RequestBody, ResponseCode: x.Code, ResponseBody: x.ResponseBody, Duration: x.Duration, Note: x.Err,
		})
		if err != nil {
			p.Log.WarnContext(ctx, "audit.lost", "route", "provider token", "error", err.Error())
		}
	}
}
