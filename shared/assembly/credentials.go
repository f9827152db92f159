package assembly

// MTNCredentials are the secret part of the MTN account, with the field names
// of the contract's environment.
type MTNCredentials struct {
	APIUser         string `json:"MTN_API_USER"`
	APIKey          string `json:"MTN_API_KEY"`
	SubscriptionKey string `json:"MTN_SUBSCRIPTION_KEY"`
}

// MomFacturaCredentials are the secret part of the Mom Factura account.
// WebhookToken is the last part of the address registered as its webhook.
type MomFacturaCredentials struct {
	APIKey       string `json:"MOMFACTURA_API_KEY"`
	WebhookToken string `json:"MOMFACTURA_WEBHOOK_TOKEN"`
}

// MomentPayCredentials are the secret part of the MomentPay account. Of
// WebhookSecrets (whsec_…) there are two during a rotation.
type MomentPayCredentials struct {
	SecretKey      string   `json:"MOMENTPAY_SECRET_KEY"`
	WebhookSecrets []string `json:"MOMENTPAY_WEBHOOK_SECRETS"`
}

// String hides the credentials, in all their forms.
func (MTNCredentials) String() string { return "[MTN credentials]" }

// GoString is String.
func (c MTNCredentials) GoString() string { return c.String() }

// String hides the credentials.
func (MomFacturaCredentials) String() string { return "[Mom Factura credentials]" }

// GoString is String.
func (c MomFacturaCredentials) GoString() string { return c.String() }

// String hides the credentials.
func (MomentPayCredentials) String() string { return "[MomentPay credentials]" }

// GoString is String.
func (c MomentPayCredentials) GoString() string { return c.String() }

// account is a configured provider's credentials: where they are kept, and
// where they go.
type account struct {
	provider, secretID string
	into               any
}

// accounts lists those of the configuration. Where no provider is needed
// none is configured.
func (p *Parts) accounts() []account {
	var all []account
	c := p.Config
	if c.MTN.Configured() {
		all = append(all, account{"MTN", c.MTN.SecretID, &p.MTN})
	}
	if c.MomFactura.Configured() {
		all = append(all, account{"Mom Factura", c.MomFactura.SecretID, &p.MomFactura})
	}
	if c.MomentPay.Configured() {
		all = append(all, account{"MomentPay", c.MomentPay.SecretID, &p.MomentPay})
	}
	return all
}
