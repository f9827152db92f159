package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// ErrUnderway: the delivery is being attempted, an attempt has been asked for
// already, or it waits for an earlier event of its payment. It goes on by
// itself.
var ErrUnderway = errors.New("delivery is under way")

// ErrEndpointDisabled: nothing is sent to this endpoint until an operator has
// enabled it.
var ErrEndpointDisabled = errors.New("endpoint is disabled")

// ResendDelivery asks for one manual attempt at the given time, under the same
// event id and with the same bytes, and writes who asked for it in the same
// transaction. The attempt stands beside the schedule: when it fails, the
// delivery stays what it was (delivered, exhausted, held, due later). One that
// is held for something else than its endpoint is let go instead: it is due,
// and its schedule goes on.
//
// The caller rings (delivery.Doorbell) for the delivery returned; if that is
// lost, the sweeper does. ErrMoved: it has changed since it was read.
// ErrUnderway: there is nothing to do. ErrEndpointDisabled: it was refused.
func (l *Ledger) ResendDelivery(ctx context.Context, d Delivery, at time.Time, audit AuditRecord) (Delivery, error) {
	if d.State == DeliveryWaiting || !d.ManualAt.IsZero() || at.Before(d.LeaseUntil) {
		return Delivery{}, ErrUnderway
	}
	origin, err := l.originOf(ctx, d)
	if err != nil {
		return Delivery{}, err
	}
	if e, err := l.Endpoint(ctx, d.ClientID, origin); err != nil {
		return Delivery{}, err
	} else if e.State == EndpointDisabled {
		return Delivery{}, fmt.Errorf("%w: %s", ErrEndpointDisabled, e.Origin)
	}
	d.ResentAt, d.LeaseUntil = at, time.Time{}
	if d.State == DeliveryHeld && !d.HeldForEndpoint() {
		d.State, d.HeldReason, d.NextAttemptAt = DeliveryDue, "", at
	} else {
		d.ManualAt = at
	}
	err = l.table.Write(ctx, table.Put(d.record()), table.Put(l.auditRecord(audit)))
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

// originOf says where a delivery would go now; empty: nowhere.
func (l *Ledger) originOf(ctx context.Context, d Delivery) (string, error) {
	if d.URL != "" {
		return Origin(d.URL), nil
	}
	rec, err := l.table.Get(ctx, clientKey(d.ClientID)) // without opening its secrets
	if errors.Is(err, table.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("callback URL of client %s: %w", d.ClientID, err)
	}
	r := &reader{rec: rec}
	return Origin(r.text("callback_url")), r.err
}
