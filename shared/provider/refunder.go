package provider

import (
	"context"

	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// Refunder gives money back at a provider, with credentials of its own. A
// provider that has none registers none. All methods are safe for concurrent use
// and honour the context's deadline.
type Refunder interface {
	// Capabilities are those of its account: Currency, Production and BaseURL.
	Capabilities() Capabilities

	// Ready makes sure that credentials are in hand, as Provider.Ready does. It
	// is called before a refund is taken to be sent.
	Ready(ctx context.Context) error

	// Maintain is called by the schedule, as Provider.Maintain is.
	Maintain(ctx context.Context) error

	// Refund asks the provider, once and under r.Reference, to give r.Amount of
	// p back, in the way of r.Kind. It never fails. Attempted is false when it
	// is certain that the provider was never asked. SaysRefused is returned only
	// where the answer proves that nothing was begun; whatever else is not an
	// acceptance is SaysNothing.
	Refund(ctx context.Context, p payment.Payment, r refund.Refund) Answer

	// RefundStatus asks the provider about r by one request at the most, tokens
	// left out. It never fails. A SaysSuccessful names amount and currency.
	RefundStatus(ctx context.Context, r refund.Refund) Answer
}

// PayoutAccounts is the registration as the payout accounts see it: their
// variables stand for those of the accounts that collect. One has the id of the
// account whose payments it refunds.
func (r Registration) PayoutAccounts() Registration {
	r.Variables = r.Payouts
	return r
}
