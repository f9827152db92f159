package ledger

import (
	"context"
	"errors"
	"strings"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
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
	q := table.Query{Space: table.Main, Limit: MaxMatches}
	reference := func(rec table.Record) (string, error) { return referenceOf(rec.Partition), nil }
	switch {
	case id.Named != "":
		q.Partition = lockPartition(text)
		reference = func(rec table.Record) (string, error) { return textOf(rec, "reference") }
	case id.ProviderID != "":
		q.Partition = idPartition(id.Provider, text)
		reference = func(rec table.Record) (string, error) { return strings.TrimPrefix(rec.Sort, idPrefix), nil }
	default:
		q.Index, q.Partition = IndexTransaction, text
	}
	references, err := page(ctx, l, "find payments", q, reference)
	if err != nil {
		return nil, err
	}
	if payment.IsReference(id.Named) {
		// Another app may have taken this reference for its own order id.
		references.Items = append(references.Items, id.Named)
	}
	var found []Payment
	for _, r := range references.Items {
		p, err := l.Payment(ctx, r)
		switch {
		case errors.Is(err, ErrNotFound): // it has expired
		case err != nil:
			return nil, err
		case id.Transaction == "" || p.FinancialTransactionID == id.Transaction: // else the index lags
			found = append(found, p)
		}
	}
	return found, nil
}

// MaxExternalID bounds an external id, in bytes (the contract's VARCHAR(100)).
const MaxExternalID = 100

// Story is everything the ledger keeps of one payment.
type Story struct {
	Payment    Payment
	Deliveries []delivery.Delivery // in sequence
	Attempts   []delivery.Attempt  // the latest of each delivery
	Refunds    []Refund            // by id
}

// Story reads a payment's whole story in one walk, or ErrNotFound.
func (l *Ledger) Story(ctx context.Context, reference string) (Story, error) {
	var s Story
	if !payment.IsReference(reference) {
		return s, ErrNotFound
	}
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

// PaidBeside returns another payment of p's order that has succeeded, too, or
// ErrNotFound.
func (l *Ledger) PaidBeside(ctx context.Context, p Payment) (Payment, error) {
	lock, err := l.get(ctx, "read order", lockKey(p.ClientID, p.ExternalID))
	if err != nil {
		return Payment{}, err
	}
	for _, name := range []string{"reference", "paid"} {
		reference, _ := lock.Attributes[name].(string)
		if reference == "" || reference == p.Reference {
			continue
		}
		if other, err := l.Payment(ctx, reference); err != nil || other.Status == payment.Successful {
			return other, err
		}
	}
	return Payment{}, ErrNotFound
}
