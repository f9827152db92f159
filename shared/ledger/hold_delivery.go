package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

// ErrEndpointStale: the endpoint has changed since it was read; nothing was
// written.
var ErrEndpointStale = errors.New("endpoint changed since it was read")

// HoldDelivery holds a delivery for as long as e is blocked. It is written
// only if e is still stored as given: otherwise a delivery could be held after
// its endpoint has recovered and been drained, and nobody would release it.
// ErrEndpointStale: read e again. ErrStale: the delivery has changed.
func (l *Ledger) HoldDelivery(ctx context.Context, d delivery.Delivery, e delivery.Endpoint) error {
	key := endpointKey(e.ClientID, e.Origin)
	err := l.write(ctx, "hold "+d.EventID, l.putDelivery(d.HoldFor(e)), table.Check(key, e.Version))
	var conflict *table.ConflictError
	if errors.As(err, &conflict) {
		if _, on := conflict.On(key); on {
			l.endpoints.drop(e.ClientID + "#" + e.Origin)
			return fmt.Errorf("%w: %v", ErrEndpointStale, conflict)
		}
	}
	return err
}
