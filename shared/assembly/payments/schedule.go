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
// Sweeping gets half of the time at most, then refunds half of what is left.
// The tokens of refunds are renewed beside the checks. The failure of one part
// does not keep the next from its work. The heartbeat comes last, whether the
// rest failed or not: it says that runs end and can be stored. Each part logs
// its own failure.
func Scheduled(s *forwarder.Sweeper, g *gateway.Gateway, r *gateway.Refunds, beat func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		part, cancel := half(ctx)
		backlog := g.Backlog(part)
		err := s.OnSchedule(part, backlog)
		cancel()
		part, cancel = half(ctx)
		err = errors.Join(err, r.OnSchedule(part))
		cancel()
		faults := g.Parallel.Each(ctx, 2, 2, func(i int) error {
			if i == 1 {
				r.Maintain(ctx)
				return nil
			}
			return g.OnSchedule(ctx, backlog)
		})
		return errors.Join(append(faults, err, beat(ctx))...)
	}
}

// half leaves half of the time to what comes after.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/2))
	}
	return ctx, func() {}
}
