package gateway

import (
	"context"
	"sync/atomic"
	"time"
)

// backlogBudget is what a census may take of a reconcile run. It comes first,
// so that a provider that hangs cannot keep it from being logged.
const backlogBudget = 5 * time.Second

// circuitQuiet is longer than the time between two probes, so that a circuit
// that is probed in vain does not seem to close now and then.
const circuitQuiet = 10 * time.Minute

// logBacklog logs how much stands where, for the metrics that are read off
// the lines: at most once in each minute of the clock, since the local system
// runs more often than the deployed one. It never fails the run.
func (g *Gateway) logBacklog(ctx context.Context) {
	now := g.now()
	if minute := now.Unix() / 60; atomic.SwapInt64(&g.censusMinute, minute) == minute {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, backlogBudget)
	defer cancel()
	c, err := g.Ledger.Census(ctx, now)
	if err != nil {
		g.Log.WarnContext(ctx, "census.failed", "error", err.Error())
	} else {
		g.Log.InfoContext(ctx, "census", "open_payments", c.OpenPayments,
			"unknown_payments", c.UnknownPayments, "oldest_unknown_ms", c.OldestUnknown.Milliseconds(),
			"due_deliveries", c.DueDeliveries, "oldest_undelivered_ms", c.OldestUndelivered.Milliseconds(), "oldest_overdue_ms", c.OldestOverdue.Milliseconds(),
			"held_deliveries", c.HeldDeliveries, "oldest_held_ms", c.OldestProbed.Milliseconds(), "exhausted_deliveries", c.ExhaustedDeliveries,
			"truncated", c.Truncated)
	}
	for _, prov := range g.Providers {
		name := prov.Capabilities().ID()
		health, err := g.Ledger.FreshHealth(ctx, name)
		if err != nil {
			g.Log.WarnContext(ctx, "census.failed", "provider", name, "error", err.Error())
			continue
		}
		// When nobody asks for a payment nobody learns that a provider is
		// back: what has not been tried in vain for a while counts as closed.
		open := health.Open() && now.Sub(health.AskedAt()) < circuitQuiet
		g.Log.InfoContext(ctx, "census.provider", "provider", name, "circuit_open", open, "failures", health.Failures())
	}
}
