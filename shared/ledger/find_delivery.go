package ledger

import (
	"context"
	"strconv"
	"strings"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

func sequenceOf(sort string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(sort, deliveryPrefix))
	if err != nil {
		return 0
	}
	return n
}

// Delivery reads the delivery of one event, or ErrNotFound.
func (l *Ledger) Delivery(ctx context.Context, reference string, sequence int) (delivery.Delivery, error) {
	rec, err := l.get(ctx, "read delivery", deliveryKey(reference, sequence))
	if err != nil {
		return delivery.Delivery{}, err
	}
	return deliveryFrom(rec)
}

// MaxDeliveries bounds the events of one payment: an ending and its
// correction, with room for a provider's extra events.
const MaxDeliveries = 100

// Deliveries reads a payment's deliveries in sequence.
func (l *Ledger) Deliveries(ctx context.Context, reference string) ([]delivery.Delivery, error) {
	all, err := page(ctx, l, "read deliveries", table.Query{
		Space: table.Main, Partition: paymentPartition(reference),
		From: deliveryPrefix, To: deliveryPrefix + "~", Limit: MaxDeliveries,
	}, deliveryFrom)
	return all.Items, err
}
