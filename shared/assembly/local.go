package assembly

import "strings"

// LocalCredentials takes the credentials of the configured accounts from the
// environment of a program on one machine; see config.Local.
func (p *Parts) LocalCredentials(getenv func(string) string) {
	text := func(name string) string { return strings.TrimSpace(getenv(name)) }
	c := p.Config
	if c.MTN.Configured() {
		p.MTN = MTNCredentials{APIUser: text("MTN_API_USER"), APIKey: text("MTN_API_KEY"), SubscriptionKey: text("MTN_SUBSCRIPTION_KEY")}
	}
	if c.MomFactura.Configured() {
		p.MomFactura = MomFacturaCredentials{APIKey: text("MOMFACTURA_API_KEY"), WebhookToken: text("MOMFACTURA_WEBHOOK_TOKEN")}
	}
	if c.MomentPay.Configured() {
		p.MomentPay = MomentPayCredentials{SecretKey: text("MOMENTPAY_SECRET_KEY"), WebhookSecrets: strings.Fields(getenv("MOMENTPAY_WEBHOOK_SECRETS"))}
	}
}
