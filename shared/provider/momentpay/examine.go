package momentpay

import (
	"context"
	"fmt"
	"net/url"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

var _ provider.Examiner = (*Provider)(nil)

// Examine implements provider.Examiner.
func (p *Provider) Examine(ctx context.Context, s provider.Surroundings) []provider.Finding {
	key := provider.KeyCheck(p.Status(ctx, payment.Payment{Particulars: payment.Particulars{IDs: map[string]string{"id": "pr_doctor"}}}))
	mode := provider.Finding{Check: "mode", State: provider.Fine, Found: "live key: every payment is real"}
	if !p.cfg.Production() {
		mode.State, mode.Found, mode.Next = provider.Doubt, "test key: no payment is real", "Right for a test. For real payments set MOMENTPAY_SECRET_KEY to the live one."
	}
	webhook := provider.Finding{Check: "webhook_address", State: provider.Unknown, Found: "MomentPay does not show the registered address",
		Next: "Have customer success register it, and store the signing secret that they give you.",
		Mail: fmt.Sprintf("Please confirm that webhooks of our account go to https://%s/webhooks/momentpay.", s.CallbackHost)}
	return []provider.Finding{key, mode, webhook}
}

// Learned implements provider.Examiner.
func (p *Provider) Learned(pay payment.Payment, seen []provider.Seen) []provider.Finding {
	host := provider.Finding{Check: "host", State: provider.Unknown, Found: "the payment was not accepted"}
	if u, err := url.Parse(p.cfg.BaseURL); err == nil && pay.Accepted {
		host.State, host.Found = provider.Fine, u.Host+" takes payments"
	}
	webhooks := 0
	for _, s := range seen {
		if s.Callback {
			webhooks++
		}
	}
	return []provider.Finding{host, {Check: "webhooks", State: provider.Fine, Found: fmt.Sprintf("%d came", webhooks)}}
}
