package gateway

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"momoproxy/shared/ledger"
)

// backlogBudget is what reading the backlog may take of a run.
const backlogBudget = 5 * time.Second

// circuitQuiet is longer than the time between two probes, so that a circuit
// that is probed in vain does not seem to close now and then.
const circuitQuiet = 10 * time.Minute

// Backlog reads how much waits where, for one run; nil: it cannot be read. It
// logs that, for the metrics that are read off the lines, at most once in each
// minute of the clock: the local system runs more often than the deployed one.
func (g *Gateway) Backlog(ctx context.Context) *ledger.Backlog {
	ctx, cancel := context.WithTimeout(ctx, backlogBudget)
	defer cancel()
	now := g.now()
	b, err := g.Ledger.Backlog(ctx, now)
	if err != nil {
		g.Log.WarnContext(ctx, "backlog.failed", "error", err.Error())
		return nil
	}
	if minute := now.Unix() / 60; atomic.SwapInt64(&g.backlogMinute, minute) == minute {
		return b
	}
	g.Log.InfoContext(ctx, "backlog", "open_payments", b.OpenPayments,
		"unknown_payments", b.UnknownPayments, "oldest_unknown_ms", b.OldestUnknown.Milliseconds(),
		"unknown_refunds", b.UnknownRefunds, "oldest_unknown_refund_ms", b.OldestUnknownRefund.Milliseconds(),
		"due_deliveries", b.DueDeliveries, "oldest_undelivered_ms", b.OldestUndelivered.Milliseconds(), "oldest_overdue_ms", b.OldestOverdue.Milliseconds(),
		"held_deliveries", b.HeldDeliveries, "oldest_held_ms", b.OldestProbed.Milliseconds(), "exhausted_deliveries", b.ExhaustedDeliveries,
		"disabled_endpoints", b.DisabledEndpoints, "truncated", b.Truncated)
	g.logCircuits(ctx, now)
	return b
}

func (g *Gateway) logCircuits(ctx context.Context, now time.Time) {
	stored, err := g.Ledger.AllHealth(ctx)
	if err != nil {
		g.Log.WarnContext(ctx, "backlog.failed", "error", err.Error())
		return
	}
	for _, prov := range g.Providers {
		var health ledger.Health
		name := prov.Capabilities().ID()
		if i := slices.IndexFunc(stored, func(h ledger.Health) bool { return h.Provider == name }); i >= 0 {
			health = stored[i]
		}
		// When nobody asks for a payment nobody learns that a provider is
		// back: what has not been tried in vain for a while counts as closed.
		open := health.Open() && now.Sub(health.AskedAt()) < circuitQuiet
		g.Log.InfoContext(ctx, "backlog.provider", "provider", name, "circuit_open", open, "failures", health.Failures())
	}
}
