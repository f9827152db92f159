// Package payments builds the use cases about payments, with the adapters of
// the providers. It stands apart from assembly so that a function which asks
// no provider, the forwarder, does not link them.
package payments

import (
	"context"
	"crypto/rand"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/webhook"
)

// Gateway builds the use cases.
func Gateway(p assembly.Parts) (*gateway.Gateway, error) {
	mtn, err := MTN(p)
	if err != nil {
		return nil, err
	}
	return &gateway.Gateway{
		Ledger:         p.Ledger,
		Providers:      []provider.Provider{mtn},
		Doorbell:       delivery.Doorbell{Queue: p.Queue, Now: p.Now},
		PublicBaseURL:  p.Config.PublicBaseURL,
		TrustCallbacks: p.Config.CallbackPolicy == config.Trust,
		CheckURL:       func(url string) error { return webhook.CheckURL(url, p.Rules) },
		Now:            p.Now,
		Sleep:          gateway.Pause,
		Random:         rand.Reader,
		Log:            p.Log,
		Workers:        gateway.DefaultWorkers,
	}, nil
}

// MTN builds the MTN adapter.
func MTN(p assembly.Parts) (provider.Provider, error) {
	return mtn.New(mtn.Config{
		BaseURL: p.Config.MTN.BaseURL, TargetEnvironment: p.Config.MTN.TargetEnv, Currency: p.Config.MTN.Currency,
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
