package assembly

import (
	"context"
	"errors"
	"time"
)

// Scheduled is one run of the reconciler. Deliveries are swept first: that is
// quick, and a provider that hangs would use up the run. Sweeping gets half of
// the time at most, and its failure does not keep payments from being checked,
// nor theirs the next sweep.
func Scheduled(sweep, reconcile func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		half, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok {
			half, cancel = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/2))
		}
		err := sweep(half)
		cancel()
		return errors.Join(err, reconcile(ctx))
	}
}
