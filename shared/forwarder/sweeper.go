package forwarder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// Sizes of one sweep.
const (
	sweepPage = 200
	// doorbellGrace is how long a due delivery is left to its own doorbell
	// before the sweeper rings again.
	doorbellGrace = 30 * time.Second
	// maxParallel is how many endpoints are maintained at a time, and how many
	// events of each are released at a time.
	maxParallel = 8
)

// Sweeper re-enqueues overdue deliveries, probes endpoints whose circuit is open
// and releases deliveries held for an endpoint that recovered. Run it every
// minute. Sweeps may overlap: each claims in the table what it does, and a
// repeated message makes no second attempt. Set every field.
type Sweeper struct {
	Ledger   *ledger.Ledger
	Doorbell Ringer
	Now      func() time.Time
	Log      *slog.Logger
	Parallel host.Executor
}

// Swept is what a sweep did and found.
type Swept struct {
	Rung      int           // overdue deliveries rung for again
	OldestDue time.Duration // how late the most overdue delivery was
	Probed    int           // probes begun
	Released  int           // held deliveries let go
	Open      int           // endpoints whose circuit is open
}

// Sweep is one run. It stops before ctx ends; the next goes on. Where the
// backlog has nothing due it does not look; nil: it looks everywhere.
func (s *Sweeper) Sweep(ctx context.Context, backlog *ledger.Backlog) (Swept, error) {
	var t Swept
	var faults []error
	note := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	first := int(s.Now().Unix()/60) % ledger.DueShards // changes, so that none starves
	for i := range ledger.DueShards {
		if shard := (first + i) % ledger.DueShards; backlog.DeliveriesDue(shard) {
			note(s.ringOverdue(ctx, shard, &t))
		}
	}
	if backlog.EndpointsDue() {
		note(s.maintainAll(ctx, &t)) // last: it is what can take long
	}
	note(ctx.Err())
	return t, errors.Join(faults...)
}

// OnSchedule is Sweep with a log line.
func (s *Sweeper) OnSchedule(ctx context.Context, backlog *ledger.Backlog) error {
	t, err := s.Sweep(ctx, backlog)
	s.Log.InfoContext(ctx, "sweep", "rung", t.Rung, "oldest_due_ms", t.OldestDue.Milliseconds(), "probed", t.Probed,
		"released", t.Released, "open", t.Open, "complete", err == nil)
	return err
}

// worthRinging: every run in the first minutes after a doorbell was lost, and
// then more rarely, or a forwarder that is down for a day would come back to a
// thousand messages for each event.
func worthRinging(now, due time.Time) bool {
	const often, rarely = 15 * time.Minute, 5
	return now.Sub(due) < often || now.Unix()/60%rarely == due.Unix()/60%rarely
}

// ringOverdue rings again for one shard's deliveries.
func (s *Sweeper) ringOverdue(ctx context.Context, shard int, t *Swept) error {
	now := s.Now()
	after := ""
	for {
		due, err := s.Ledger.Due(ctx, ledger.DueQuery{Kind: ledger.DueDelivery, Shard: shard, Before: now.Add(-doorbellGrace)}, ledger.Paging{Limit: sweepPage, Cursor: after})
		if err != nil {
			return err
		}
		overdue := make([]delivery.Delivery, 0, len(due.Items))
		for _, d := range due.Items {
			t.OldestDue = max(t.OldestDue, now.Sub(d.At))
			if worthRinging(now, d.At) {
				overdue = append(overdue, delivery.Delivery{Reference: d.Reference, Sequence: d.Sequence, ClientID: d.ClientID})
			}
		}
		if len(overdue) > 0 {
			if err := s.Doorbell.Ring(ctx, overdue...); err != nil {
				return err
			}
			t.Rung += len(overdue)
		}
		if due.Next == "" {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		after = due.Next
	}
}

// maintain probes or drains one endpoint, if that is due.
func (s *Sweeper) maintain(ctx context.Context, clientID, origin string, mayProbeOf func(client string) bool) (did Swept, err error) {
	now := ledger.Clock(s.Now())
	e, err := s.Ledger.Endpoint(ctx, clientID, origin, now)
	if err != nil {
		return did, err
	}
	switch e.State {
	case delivery.EndpointOpen:
		did.Open = 1
		if e.ProbeDue(now) && mayProbeOf(clientID) {
			did.Probed, err = s.probe(ctx, e, now)
		}
	case delivery.EndpointDraining:
		did.Released, err = s.drain(ctx, e, now)
	}
	if errors.Is(err, ledger.ErrStale) {
		return did, nil // another sweep, or the forwarder, was faster
	}
	return did, err
}
