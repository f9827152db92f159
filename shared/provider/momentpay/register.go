package momentpay

import (
	"momoproxy/shared/provider"
)

// Registration is MomentPay. Its documentation names two hosts, so that the
// base URL has no default.
var Registration = provider.Registration{
	Name: Name, Title: "MomentPay",
	Variables: []provider.Variable{
		{Name: "MOMENTPAY_BASE_URL", Kind: provider.URL},
		{Name: "MOMENTPAY_SECRET_KEY", Secret: true},
		{Name: "MOMENTPAY_WEBHOOK_SECRETS", Kind: provider.List, Secret: true}, // two during a rotation
	},
	Known: capabilities(),
	New: func(a provider.Account, p provider.Parts) (provider.Provider, error) {
		options := []Option{On(p.Host)}
		if p.Backoff != nil {
			options = append(options, WithBackoff(p.Backoff))
		}
		return New(Config{
			BaseURL: a.URL("MOMENTPAY_BASE_URL", ""), SecretKey: a.Text("MOMENTPAY_SECRET_KEY"), WebhookSecrets: a.List("MOMENTPAY_WEBHOOK_SECRETS"),
		}, p.Client, p.Host.Now, options...)
	},
	Statement: &statement,
	// An operator who has exchanged a secret sees the refusals, and what is
	// not answered with 200 is sent again (docs).
	Callbacks: provider.Callbacks{Function: "momentpay-webhook", Routes: []string{"POST /webhooks/momentpay"}, SaysWhy: true},
}
