package ledger

import (
	"context"
	"errors"
	"strings"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

// Payment reads one payment, or ErrNotFound.
func (l *Ledger) Payment(ctx context.Context, reference string) (Payment, error) {
	if !payment.IsReference(reference) {
		return Payment{}, ErrNotFound
	}
	rec, err := l.get(ctx, "read payment", paymentKey(strings.ToLower(reference)))
	if err != nil {
		return Payment{}, err
	}
	return l.whole(ctx, rec)
}

// MaxMatches bounds how many clients' payments one bare callback can name.
const MaxMatches = 20

// ID is one of the names that a payment has elsewhere. One field is set, or
// the two of a provider.
type ID struct {
	// Named is what a bare callback may name: the external id of every
	// client's live or successful payment, or a payment's reference.
	Named string
	// ProviderID was given to it by Provider.
	Provider, ProviderID string
	// Transaction is any provider's id of the moved money.
	Transaction string
}

// FindPayments finds the payments with an id, at most MaxMatches. None is an
// empty slice.
func (l *Ledger) FindPayments(ctx context.Context, id ID) ([]Payment, error) {
	text := id.Named + id.ProviderID + id.Transaction
	if text == "" || len(text) > MaxExternalID && id.Named != "" || len(text) > payment.MaxID && id.Named == "" || strings.ContainsRune(text, 0) {
		return nil, nil
	}
	switch {
	case id.Named != "":
		return l.paymentsNamed(ctx, text)
	case id.ProviderID != "":
		return l.paymentsWithID(ctx, id.Provider, text)
	}
	return l.paymentsWithTransaction(ctx, text)
}

func (l *Ledger) paymentsNamed(ctx context.Context, id string) ([]Payment, error) {
	page, err := l.query(ctx, "match external id", table.Query{Space: table.Main, Partition: lockPartition(id), Limit: MaxMatches})
	if err != nil {
		return nil, err
	}
	references := make([]string, 0, 1)
	for _, rec := range page.Records {
		r := &reader{rec: rec}
		references = append(references, r.text("reference"))
		if r.err != nil {
			return nil, r.err
		}
	}
	if payment.IsReference(id) {
		// Another app may have taken this reference for its own order id.
		references = append(references, id)
	}
	var found []Payment
	for _, ref := range references {
		p, err := l.Payment(ctx, ref)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// MaxExternalID bounds an external id, in bytes (the contract's VARCHAR(100)).
const MaxExternalID = 100

// Overview reads a payment and its deliveries in one query, or ErrNotFound.
func (l *Ledger) Overview(ctx context.Context, reference string) (Payment, []delivery.Delivery, error) {
	if !payment.IsReference(reference) {
		return Payment{}, nil, ErrNotFound
	}
	var s Story
	q := table.Query{Space: table.Main, Partition: paymentPartition(strings.ToLower(reference)), From: deliveryPrefix, Limit: MaxDeliveries + refund.MaxRefunds + 3}
	page, err := l.query(ctx, "read payment", q)
	if err != nil {
		return Payment{}, nil, err
	}
	for _, rec := range page.Records {
		if err := s.add(rec); err != nil {
			return Payment{}, nil, err
		}
	}
	if s.Payment.Reference == "" {
		return Payment{}, nil, ErrNotFound
	}
	return s.Payment, s.Deliveries, nil
}
