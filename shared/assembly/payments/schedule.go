package payments

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
)

// Scheduled is one run of the reconciler. It reads first what waits, so that
// no part asks for what is not there. Deliveries are swept before payments are
// checked: that is quick, and a provider that hangs would use up the run.
// Sweeping gets half of the time at most, and its failure does not keep
// payments from being checked, nor theirs the next sweep. The heartbeat comes
// last, whether the rest failed or not: it says that runs end and can be
// stored. Each part logs its own failure.
func Scheduled(s *forwarder.Sweeper, g *gateway.Gateway, beat func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		half, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok {
			half, cancel = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/2))
		}
		backlog := g.Backlog(half)
		err := s.OnSchedule(half, backlog)
		cancel()
		err = errors.Join(err, g.OnSchedule(ctx, backlog))
		return errors.Join(err, beat(ctx))
	}
}
