package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// ErrEndpointMoved: the endpoint has changed since it was read; nothing was
// written.
var ErrEndpointMoved = errors.New("endpoint changed since it was read")

// HoldDelivery keeps a delivery for as long as e is blocked. It is written
// only if e stands in the table just as given: or one could be held after its
// endpoint has come back and been drained, and nobody would let it go.
// ErrEndpointMoved: read e again. ErrMoved: the delivery has changed.
func (l *Ledger) HoldDelivery(ctx context.Context, d Delivery, e Endpoint, reason string) (Delivery, error) {
	d.State, d.HeldReason, d.Endpoint, d.NextAttemptAt, d.LeaseUntil = DeliveryHeld, reason, e.Origin, time.Time{}, time.Time{}
	key := endpointKey(e.ClientID, e.Origin)
	err := l.table.Write(ctx, table.Put(d.record()), table.Check(key, e.version))
	var conflict *table.ConflictError
	switch {
	case err == nil:
		d.version++
		return d, nil
	case errors.As(err, &conflict):
		if _, on := conflict.On(key); on {
			l.endpoints.drop(e.ClientID + "#" + e.Origin)
			return Delivery{}, fmt.Errorf("%w: %v", ErrEndpointMoved, err)
		}
		return Delivery{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Delivery{}, fmt.Errorf("hold %s: %w", d.EventID, err)
	}
}

// ReleaseDelivery makes a held delivery due at the given time; its schedule
// goes on where it stood. ErrMoved: it has changed since it was read.
func (l *Ledger) ReleaseDelivery(ctx context.Context, d Delivery, at time.Time) (Delivery, error) {
	d.State, d.HeldReason, d.Endpoint, d.NextAttemptAt = DeliveryDue, "", "", at
	return l.putDelivery(ctx, d)
}
