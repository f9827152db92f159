package assembly

import (
	"context"
	"errors"
)

// Beat stores the reconciler's heartbeat, which GET /health reads.
func (p Parts) Beat(ctx context.Context) error {
	err := p.Ledger.Beat(ctx, p.Now())
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) { // the program ends
		p.Log.ErrorContext(ctx, "heartbeat.failed", "error", err.Error())
	}
	return err
}
