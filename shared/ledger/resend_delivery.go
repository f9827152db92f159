package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// ErrUnderway: the delivery is being attempted, or waits for an earlier event
// of its payment. It goes on by itself.
var ErrUnderway = errors.New("delivery is under way")

// ResendDelivery makes a delivery due at the given time, under the same event
// id and with the same bytes, and writes who asked for it in the same
// transaction. One that has ended, delivered ones included, starts its
// schedule anew; one that is due later is only brought forward. ErrMoved: it
// has changed since it was read. ErrUnderway: there is nothing to do.
func (l *Ledger) ResendDelivery(ctx context.Context, d Delivery, at time.Time, audit AuditRecord) (Delivery, error) {
	if d.State == DeliveryWaiting || at.Before(d.LeaseUntil) {
		return Delivery{}, ErrUnderway
	}
	if d.State.Ended() {
		d.Attempts = 0
	}
	d.State, d.HeldReason, d.NextAttemptAt, d.LeaseUntil = DeliveryDue, "", at, time.Time{}
	err := l.table.Write(ctx, table.Put(d.record()), table.Put(l.auditRecord(audit)))
	switch {
	case err == nil:
		d.version++
		return d, nil
	case errors.Is(err, table.ErrConflict):
		return Delivery{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Delivery{}, fmt.Errorf("resend %s: %w", d.EventID, err)
	}
}
