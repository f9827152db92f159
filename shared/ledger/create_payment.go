package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/table"
)

// ExistsError reports that the reference is already in the ledger: a repeat
// under the same Idempotency-Key. Of a payment that has expired it has the
// reference alone: what was requested under that key is not known any more.
type ExistsError struct{ Payment Payment }

func (e *ExistsError) Error() string { return "payment " + e.Payment.Reference + " exists" }

// ExternalIDTakenError reports that a live or successful payment of the same
// client holds the external id.
type ExternalIDTakenError struct{ Reference string }

func (e *ExternalIDTakenError) Error() string {
	return "external id is held by payment " + e.Reference
}

// Create stores a new payment and its external-id lock in one transaction,
// before any provider hears of it. It returns *ExistsError or
// *ExternalIDTakenError (in this order of precedence) when nothing was
// written for that reason. On any other error nothing may be charged; a
// payment that appears later all the same is ended by reconciliation, because
// the provider never heard of it.
func (l *Ledger) Create(ctx context.Context, p Payment) (Payment, error) {
	p.version = 0
	if p.Payer != "" {
		if l.hashPayer == nil {
			return Payment{}, fmt.Errorf("create payment: %w", errNoPayerKey)
		}
		p.payerHash = l.hashPayer(string(p.Payer))
	}
	lock := table.Record{
		Key:        lockKey(p.ClientID, p.ExternalID),
		Attributes: map[string]any{"reference": p.Reference},
	}
	p.expires = l.retention > 0
	ops := []table.Op{l.putPayment(p), table.Put(lock)}
	if p.expires {
		ops = append(ops, table.Put(table.Record{Key: usedKey(p.Reference)}))
	}
	if p.requestApart() {
		ops = append(ops, table.Put(p.requestRecord()))
	}
	err := l.table.Write(ctx, ops...)
	if err == nil {
		p.version = 1
		return p, nil
	}
	var conflict *table.ConflictError
	if errors.As(err, &conflict) {
		if rec, ok := conflict.On(paymentKey(p.Reference)); ok && rec.Version > 0 {
			stored, err := l.whole(ctx, rec)
			if err != nil {
				return Payment{}, err
			}
			return Payment{}, &ExistsError{stored}
		}
		if rec, ok := conflict.On(lock.Key); ok {
			holder, err := textOf(rec, "reference")
			if err != nil {
				return Payment{}, err
			}
			return Payment{}, &ExternalIDTakenError{holder}
		}
		if _, ok := conflict.On(usedKey(p.Reference)); ok {
			used := Payment{}
			used.Reference = p.Reference
			return Payment{}, &ExistsError{used}
		}
		return Payment{}, fmt.Errorf("create payment: %w", err)
	}
	if errors.Is(err, table.ErrUnavailable) || errors.Is(err, table.ErrInvalid) {
		return Payment{}, fmt.Errorf("create payment: %w", err)
	}
	// The outcome is unknown. The token hash is random, so a payment that
	// carries it is ours.
	stored, readErr := l.Payment(ctx, p.Reference)
	if readErr == nil && stored.CallbackTokenHash == p.CallbackTokenHash {
		return stored, nil
	}
	return Payment{}, fmt.Errorf("create payment: %w", err)
}
