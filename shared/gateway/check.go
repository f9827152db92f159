package gateway

import (
	"context"
	"errors"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// ErrSubmitting: the request that made the payment is still at work on it. Of
// Settle, too.
var ErrSubmitting = errors.New("payment is being submitted")

// Check asks the provider about a payment now, whether it is due or not and
// whether it is open or not, and takes the answer to its end, as a reconcile
// run does. It counts as a check: the next one follows the schedule. The
// payment returned is as it then stands, with ErrUnanswered too.
// ledger.ErrNotFound: unknown.
func (g *Gateway) Check(ctx context.Context, reference string) (ledger.Payment, error) {
	p, err := g.Ledger.Payment(ctx, reference)
	if err != nil {
		return ledger.Payment{}, err
	}
	if g.submitting(p) {
		return p, ErrSubmitting
	}
	after, _, err := g.poll(ctx, p, trigger{who: guard.BySchedule})
	return after, err
}

// submitting says whether the request that made a payment may still be at
// work on it.
func (g *Gateway) submitting(p ledger.Payment) bool {
	return p.Phase == payment.PhaseSubmitting && g.now().Before(p.SubmitDeadline)
}
