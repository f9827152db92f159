package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

const (
	// TestEvery is how often an app may have a test event: one in each such span,
	// counted from the epoch.
	TestEvery = 10 * time.Second
	// testKept is how long a test event is kept.
	testKept = 24 * time.Hour
)

// CreateTestEvent stores an event of the client that belongs to no payment, as
// one that an attempt is asked for. That attempt is the only one: as with a
// resend, a failure is no reason for another. The event is in no list of events.
// The caller rings (forwarder.Doorbell). ErrStale: there has been one in this
// span of TestEvery. ErrEndpointDisabled: it was refused.
func (l *Ledger) CreateTestEvent(ctx context.Context, clientID string, now time.Time) (delivery.Delivery, error) {
	// The span is in the reference: of two that are stored one is refused.
	h := sha256.Sum256(fmt.Appendf(nil, "momoproxy test event\x00%s\x00%d", clientID, now.Truncate(TestEvery).Unix()))
	reference := payment.NewReference(strings.NewReader(string(h[:])))
	d := delivery.Delivery{
		Reference: reference, Sequence: 1, ClientID: clientID, EventID: payment.EventID(reference, 1), Event: payment.EventTest,
		State: delivery.Delivered, RequestedAt: now, ResentAt: now, CreatedAt: now,
	}
	body, err := json.Marshal(map[string]any{"event": d.Event, "referenceId": reference, "sequence": 1, "occurredAt": payment.Timestamp(now)})
	if err != nil {
		return delivery.Delivery{}, err
	}
	d.Body = string(body)
	origin, err := l.originOf(ctx, d)
	if err != nil {
		return delivery.Delivery{}, err
	}
	if e, err := l.Endpoint(ctx, clientID, origin, now); err != nil {
		return delivery.Delivery{}, err
	} else if e.State == delivery.EndpointDisabled {
		return delivery.Delivery{}, fmt.Errorf("%w: %s", ErrEndpointDisabled, e.Origin)
	}
	return l.SaveDelivery(ctx, d)
}

// expireTest dates the record of a test event, and takes it out of the list.
func expireTest(rec *table.Record, d delivery.Delivery) {
	rec.ExpiresAt = d.CreatedAt.Add(testKept)
	delete(rec.Index, IndexList)
}
