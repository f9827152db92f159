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
	page, err := l.query(ctx, "read deliveries", table.Query{
		Space: table.Main, Partition: paymentPartition(reference),
		From: deliveryPrefix, To: deliveryPrefix + "~", Limit: MaxDeliveries,
	})
	if err != nil {
		return nil, err
	}
	ds := make([]delivery.Delivery, 0, len(page.Records))
	for _, rec := range page.Records {
		d, err := deliveryFrom(rec)
		if err != nil {
			return nil, err
		}
		ds = append(ds, d)
	}
	return ds, nil
}

// Story is everything the ledger keeps of one payment.
type Story struct {
	Payment    Payment
	Deliveries []delivery.Delivery
	Attempts   []delivery.Attempt // the latest of each delivery
	Refunds    []Refund           // by id
}

// Story reads a payment's whole story in one walk, or ErrNotFound.
func (l *Ledger) Story(ctx context.Context, reference string) (Story, error) {
	var s Story
	err := l.each(ctx, "read payment", table.Main, paymentPartition(strings.ToLower(reference)), s.add)
	if err == nil && s.Payment.Reference == "" {
		err = ErrNotFound
	}
	return s, err
}

func (s *Story) add(rec table.Record) (err error) {
	switch {
	case rec.Sort == "payment":
		var p storedPayment
		p, err = paymentFrom(rec)
		s.Payment = p.Payment
	case rec.Sort == requestSort:
		err = readFields(rec, s.Payment.request).err
	case strings.HasPrefix(rec.Sort, refundPrefix):
		var r Refund
		r, err = refundFrom(rec)
		s.Refunds = append(s.Refunds, r)
	case strings.HasPrefix(rec.Sort, deliveryPrefix):
		var d delivery.Delivery
		d, err = deliveryFrom(rec)
		s.Deliveries = append(s.Deliveries, d)
		s.Attempts = append(s.Attempts, d.Latest...)
	}
	return err
}
