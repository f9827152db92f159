package mtn

import (
	"momoproxy/shared/provider"
)

// Registration is MTN MoMo Collections.
var Registration = provider.Registration{
	Name: Name, Title: "MTN",
	Variables: []provider.Variable{
		{Name: "MTN_BASE_URL", Kind: provider.URL},
		{Name: "MTN_TARGET_ENV"},
		{Name: "MTN_CURRENCY", Optional: true}, // empty: the target environment's
		{Name: "MTN_STATUS_PER_SECOND", Kind: provider.Number, Optional: true},
		{Name: "MTN_API_USER", Secret: true},
		{Name: "MTN_API_KEY", Secret: true},
		{Name: "MTN_SUBSCRIPTION_KEY", Secret: true},
	},
	Known: provider.Capabilities{Name: Name, AuditName: "MTN", Methods: methods, Statuses: statuses(DefaultStatusPerSecond)},
	New: func(a provider.Account, p provider.Parts) (provider.Provider, error) {
		options := []Option{On(p.Host)}
		if p.Backoff != nil {
			options = append(options, WithBackoff(p.Backoff))
		}
		if p.TokenExchange != nil {
			options = append(options, WithReadyExchanges(p.TokenExchange))
		}
		return New(Config{
			BaseURL: a.URL("MTN_BASE_URL", ""), TargetEnvironment: a.Text("MTN_TARGET_ENV"), Currency: a.Text("MTN_CURRENCY"),
			StatusPerSecond: a.Number("MTN_STATUS_PER_SECOND"),
			APIUser:         a.Text("MTN_API_USER"), APIKey: a.Text("MTN_API_KEY"), SubscriptionKey: a.Text("MTN_SUBSCRIPTION_KEY"),
		}, p.Tokens, p.Client, p.Host.Now, options...)
	},
	Payouts: []provider.Variable{
		{Name: "MTN_DISBURSEMENT_BASE_URL", Kind: provider.URL},
		{Name: "MTN_DISBURSEMENT_TARGET_ENV"},
		{Name: "MTN_DISBURSEMENT_CURRENCY", Optional: true}, // empty: the target environment's
		{Name: "MTN_DISBURSEMENT_API_USER", Secret: true},
		{Name: "MTN_DISBURSEMENT_API_KEY", Secret: true},
		{Name: "MTN_DISBURSEMENT_SUBSCRIPTION_KEY", Secret: true},
	},
	NewRefunder: func(a provider.Account, p provider.Parts) (provider.Refunder, error) {
		options := []Option{On(p.Host)}
		if p.TokenExchange != nil {
			options = append(options, WithReadyExchanges(p.TokenExchange))
		}
		return NewDisbursement(Config{
			BaseURL: a.URL("MTN_DISBURSEMENT_BASE_URL", ""), TargetEnvironment: a.Text("MTN_DISBURSEMENT_TARGET_ENV"), Currency: a.Text("MTN_DISBURSEMENT_CURRENCY"),
			APIUser: a.Text("MTN_DISBURSEMENT_API_USER"), APIKey: a.Text("MTN_DISBURSEMENT_API_KEY"), SubscriptionKey: a.Text("MTN_DISBURSEMENT_SUBSCRIPTION_KEY"),
		}, p.Tokens, p.Client, p.Host.Now, options...)
	},
	Callbacks: provider.Callbacks{
		Function: "mtn-callback",
		Routes: []string{
			"POST /callback", "PUT /callback",
			"POST /callback/{referenceId}/{token}", "PUT /callback/{referenceId}/{token}",
		},
	},
}
