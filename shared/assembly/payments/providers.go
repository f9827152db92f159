package payments

import (
	"context"
	"fmt"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/momfactura"
	"momoproxy/shared/provider/mtn"
)

// Providers builds the adapters of the configured accounts. The first is the
// default: MTN where it is configured. Unsigned callbacks are never trusted
// beside an account that moves real money.
func Providers(p assembly.Parts) ([]provider.Provider, error) {
	var all []provider.Provider
	add := func(prov provider.Provider, err error) error {
		if err == nil {
			all = append(all, prov)
		}
		return err
	}
	c := p.Config
	if c.MTN.Configured() {
		if err := add(MTN(p)); err != nil {
			return nil, err
		}
	}
	if c.MomFactura.Configured() {
		if err := add(momfactura.New(momfactura.Config{
			BaseURL: c.MomFactura.BaseURL, APIKey: p.MomFactura.APIKey, WebhookToken: p.MomFactura.WebhookToken,
			TestMode: c.MomFactura.TestMode, NoInstantWithdraw: c.MomFactura.NoInstantWithdraw, NoEkwanza: c.MomFactura.NoEkwanza,
		}, nil, p.Now)); err != nil {
			return nil, err
		}
	}
	if c.MomentPay.Configured() {
		if err := add(momentpay.New(momentpay.Config{
			BaseURL: c.MomentPay.BaseURL, SecretKey: p.MomentPay.SecretKey, WebhookSecrets: p.MomentPay.WebhookSecrets,
		}, nil, p.Now)); err != nil {
			return nil, err
		}
	}
	for _, prov := range all {
		if caps := prov.Capabilities(); caps.Production && c.CallbackPolicy == config.Trust {
			return nil, fmt.Errorf("%w: provider %s", config.ErrTrusted, caps.Name)
		}
	}
	return all, nil
}

// MTN builds the MTN adapter.
func MTN(p assembly.Parts) (provider.Provider, error) {
	c := p.Config.MTN
	return mtn.New(mtn.Config{
		BaseURL: c.BaseURL, TargetEnvironment: c.TargetEnv, Currency: c.Currency, StatusPerSecond: c.StatusPerSecond,
		APIUser: p.MTN.APIUser, APIKey: p.MTN.APIKey, SubscriptionKey: p.MTN.SubscriptionKey,
	}, p.Ledger.ProviderTokens(p.Now), nil, p.Now, mtn.WithReadyExchanges(auditTokenCall(p)))
}

// auditTokenCall records the calls that fetch a provider token; they belong
// to no payment.
func auditTokenCall(p assembly.Parts) func(context.Context, provider.Exchange) {
	return func(ctx context.Context, x provider.Exchange) {
		err := p.Ledger.Audit(ctx, ledger.AuditRecord{
			At: ledger.Clock(x.Started), Direction: ledger.OutboundToMTN, Method: x.Method, URL: x.URL,
			RequestBody: x.RequestBody, ResponseCode: x.Code, ResponseBody: x.ResponseBody, Duration: x.Duration, Note: x.Err,
		})
		if err != nil {
			p.Log.WarnContext(ctx, "audit.lost", "route", "provider token", "error", err.Error())
		}
	}
}
