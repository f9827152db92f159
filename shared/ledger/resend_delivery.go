package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/delivery"
)

// ErrEndpointDisabled: nothing is sent to this endpoint until an operator has
// enabled it.
var ErrEndpointDisabled = errors.New("endpoint is disabled")

// ResendDelivery saves d.Resend, with the audit record of the request for it in
// the same transaction. The caller rings (forwarder.Doorbell) for the
// delivery returned; if that is lost, the sweeper does. ErrStale: it has
// changed since it was read. delivery.ErrUnderway: there is nothing to do.
// ErrEndpointDisabled: it was refused.
func (l *Ledger) ResendDelivery(ctx context.Context, d delivery.Delivery, at time.Time, audit AuditRecord) (delivery.Delivery, error) {
	next, err := d.Resend(at)
	if err != nil {
		return delivery.Delivery{}, err
	}
	origin, err := l.originOf(ctx, d)
	if err != nil {
		return delivery.Delivery{}, err
	}
	if e, err := l.Endpoint(ctx, d.ClientID, origin, at); err != nil {
		return delivery.Delivery{}, err
	} else if e.State == delivery.EndpointDisabled {
		return delivery.Delivery{}, fmt.Errorf("%w: %s", ErrEndpointDisabled, e.Origin)
	}
	return l.SaveDelivery(ctx, next, audit)
}

// originOf says where a delivery would go now; empty: nowhere.
func (l *Ledger) originOf(ctx context.Context, d delivery.Delivery) (string, error) {
	if d.URL != "" {
		return delivery.Origin(d.URL), nil
	}
	rec, err := l.getOrNew(ctx, "read callback URL", clientKey(d.ClientID)) // without opening its secrets
	if err != nil {
		return "", err
	}
	url, err := textOf(rec, "callback_url")
	return delivery.Origin(url), err
}
