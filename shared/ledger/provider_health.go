package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// Health is the state of a provider's circuit breaker.
type Health struct {
	Provider string
	Failures int       // unanswered calls in a row
	ProbeAt  time.Time // while open: when the next call is let through

	version int64
}

// healthFresh is how long a process may go on with the health it has read:
// request-to-pay must not pay for a read each time.
const healthFresh = 5 * time.Second

func healthKey(provider string) table.Key {
	return table.Key{Space: table.Main, Partition: "health#" + provider, Sort: "health"}
}

// Health reads a provider's health, at most healthFresh old.
func (l *Ledger) Health(ctx context.Context, provider string, now time.Time) (Health, error) {
	if h, ok := l.health.get(provider, now); ok {
		return h, nil
	}
	h, err := l.FreshHealth(ctx, provider)
	if err == nil {
		l.health.put(provider, h, now)
	}
	return h, err
}

// FreshHealth reads it from the table.
func (l *Ledger) FreshHealth(ctx context.Context, provider string) (Health, error) {
	rec, err := l.table.Get(ctx, healthKey(provider))
	if errors.Is(err, table.ErrNotFound) {
		return Health{Provider: provider}, nil
	}
	if err != nil {
		return Health{}, fmt.Errorf("read provider health: %w", err)
	}
	r := &reader{rec: rec}
	h := Health{Provider: provider, Failures: int(r.number("failures")), ProbeAt: r.time("probe_at"), version: rec.Version}
	return h, r.err
}

// SetHealth replaces the health that was read. ErrMoved: it has changed.
func (l *Ledger) SetHealth(ctx context.Context, h Health, failures int, probeAt time.Time) error {
	w := writer{}
	w.number("failures", int64(failures))
	w.time("probe_at", probeAt)
	err := l.table.Write(ctx, table.Put(table.Record{Key: healthKey(h.Provider), Version: h.version, Attributes: w}))
	l.health.drop(h.Provider)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, table.ErrConflict):
		return fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return fmt.Errorf("write provider health: %w", err)
	}
}

// ClaimProbe lets one caller through an open circuit and puts the next probe
// off. ErrMoved: another caller has it.
func (l *Ledger) ClaimProbe(ctx context.Context, h Health, next time.Time) error {
	return l.SetHealth(ctx, h, h.Failures, next)
}
