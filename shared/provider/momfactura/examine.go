package momfactura

import (
	"context"
	"fmt"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

var _ provider.Examiner = (*Provider)(nil)

// Examine implements provider.Examiner.
func (p *Provider) Examine(ctx context.Context, s provider.Surroundings) []provider.Finding {
	key := provider.KeyCheck(p.Status(ctx, payment.Payment{Method: MethodReference, Particulars: payment.Particulars{IDs: map[string]string{"operationId": "doctor"}}}))
	mode := provider.Finding{Check: "mode", State: provider.Fine, Found: "production: x-env-qa is not sent, and every payment is real"}
	if p.cfg.TestMode {
		mode.State, mode.Found = provider.Doubt, "test mode: x-env-qa is sent, and no payment is real"
		mode.Next = "Right for a test. For real payments set MOMFACTURA_TEST_MODE to false: the address is the same."
	}
	webhook := provider.Finding{Check: "webhook_address", State: provider.Unknown, Found: "Mom Factura does not show the registered address",
		Next: fmt.Sprintf("In the menu Desenvolvedores the webhook must be https://%s/webhooks/mom-factura/ with MOMFACTURA_WEBHOOK_TOKEN behind it.", s.CallbackHost)}
	withdraw := provider.Finding{Check: "instant_withdraw", State: provider.Fine, Found: "instantWithdraw is sent; it needs an approved bank account"}
	if p.cfg.NoInstantWithdraw {
		withdraw.State, withdraw.Found = provider.Doubt, "instantWithdraw is not sent"
		withdraw.Next = "The documents of June 2026 refuse a payment without it. Set MOMFACTURA_INSTANT_WITHDRAW to true."
	}
	return []provider.Finding{key, mode, webhook, withdraw}
}

// Learned implements provider.Examiner.
func (p *Provider) Learned(pay payment.Payment, _ []provider.Seen) []provider.Finding {
	f := provider.Finding{Check: "transaction_id", State: provider.Unknown, Found: "no webhook came that names the payment"}
	if ours, theirs := pay.IDs["transactionId"], pay.IDs["merchantTransactionId"]; ours != "" && theirs != "" {
		f.State, f.Found = provider.Fine, fmt.Sprintf("the answer's transactionId equals the webhook's merchantTransactionId: %t", ours == theirs)
	}
	return []provider.Finding{f}
}
