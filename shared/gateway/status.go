package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Forwarded says whether the app has got the latest event that tells where
// the payment stands. An invoice that reached it says nothing of the success
// before it, which may have been refused.
func Forwarded(deliveries []delivery.Delivery) bool {
	for _, d := range slices.Backward(deliveries) {
		if TellsStatus(d.Event) {
			return d.State == delivery.Delivered
		}
	}
	return false
}

// TellsStatus says whether an event tells where the payment stands. An invoice
// and a refund only add to a success.
func TellsStatus(e payment.Event) bool { return strings.HasPrefix(string(e), "payment.") }

// Status answers for one payment of client c, asking the provider first if
// it is still open and the poll interval allows. ledger.ErrNotFound: unknown.
// ErrForbidden: another client's. When the provider cannot be asked the
// table's state is the answer.
func (g *Gateway) Status(ctx context.Context, c ledger.Client, reference string) (ledger.Story, error) {
	s, err := g.Ledger.Story(ctx, reference)
	switch {
	case err != nil:
		return s, err
	case s.Payment.ClientID != c.ID:
		return ledger.Story{}, ErrForbidden
	case !s.Payment.Open() || !g.mayPoll(s.Payment):
		return s, nil
	}
	after, _, err := g.poll(ctx, s.Payment, trigger{who: guard.ByApp})
	switch {
	case err == nil, errors.Is(err, ErrUnanswered):
		s.Payment = after
	case !errors.Is(err, ErrPostponed):
		g.Log.WarnContext(ctx, "status.poll_failed", "reference", reference, "error", err.Error())
	}
	return s, nil
}

// mayPoll keeps the provider's least interval between two questions about
// one payment, and leaves a request that is still submitting alone.
func (g *Gateway) mayPoll(p ledger.Payment) bool {
	prov, ok := g.account(p.Payment)
	return ok && !g.submitting(p) && !recent(g.now(), p.CheckedAt, spacing(prov.Capabilities().Method(p.Method)))
}

// recent says whether at lies within d before now. A time that has not come
// yet was written by a clock that ran ahead and counts for nothing.
func recent(now, at time.Time, d time.Duration) bool {
	return !at.After(now) && now.Sub(at) < d
}
