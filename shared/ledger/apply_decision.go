package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// Change is one state change of a payment with everything that must be
// written together with it.
type Change struct {
	Before   Payment
	Decision payment.Decision
	// AnswerStatus and AnswerDetail, if not zero, replace the payment's.
	AnswerStatus int
	AnswerDetail string
	// Audit holds the exchanges that led to the change.
	Audit []AuditRecord
}

// Apply writes a change in one transaction: the payment under the version
// that was read, the delivery of its event if there is one, the external-id
// lock (freed by an ending other than SUCCESSFUL, taken again by a
// correction) and the audit records. It returns the payment as stored and
// the delivery, if one was made. ErrMoved: the payment has changed since it
// was read; nothing was written.
func (l *Ledger) Apply(ctx context.Context, c Change) (Payment, *Delivery, error) {
	after := c.Before
	after.Payment = c.Decision.Payment
	if c.AnswerStatus != 0 {
		after.AnswerStatus, after.AnswerDetail = c.AnswerStatus, c.AnswerDetail
	}
	ops := []table.Op{table.Put(after.record())}

	var made *Delivery
	if e := c.Decision.Event; e != "" {
		d := newDelivery(after.Payment, e, after.UpdatedAt)
		if d.Sequence > 1 {
			d.State = DeliveryWaiting // the forwarder finds out for what
		}
		made = &d
		ops = append(ops, table.Put(d.record()))
	}
	lock := lockKey(after.ClientID, after.ExternalID)
	retaken := false
	switch {
	case c.Before.Open() && !after.Open() && after.Status != payment.Successful:
		// Ours for certain: while a payment is open nobody else can hold it.
		ops = append(ops, table.Delete(lock, 1))
	case !c.Before.Open() && c.Before.Status != payment.Successful && after.Status == payment.Successful:
		ops = append(ops, table.Put(table.Record{Key: lock, Attributes: map[string]any{"reference": after.Reference}}))
		retaken = true
	}
	for _, a := range c.Audit {
		ops = append(ops, table.Put(l.auditRecord(a)))
	}

	err := l.table.Write(ctx, ops...)
	var conflict *table.ConflictError
	if errors.As(err, &conflict) && retaken {
		if _, taken := conflict.On(lock); taken && len(conflict.Ops) == 1 {
			// Another payment of this order is live or successful by now:
			// both stand, and the correction's anomaly tells the operator.
			err = l.table.Write(ctx, without(ops, lock)...)
			errors.As(err, &conflict)
		}
	}
	switch {
	case err == nil:
		after.version++
		if made != nil {
			made.version = 1
		}
		return after, made, nil
	case errors.Is(err, table.ErrConflict):
		return Payment{}, nil, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Payment{}, nil, fmt.Errorf("apply %s: %w", after.Reference, err)
	}
}

func without(ops []table.Op, k table.Key) []table.Op {
	kept := make([]table.Op, 0, len(ops))
	for _, op := range ops {
		if op.Record.Key != k {
			kept = append(kept, op)
		}
	}
	return kept
}

// ClaimCheck notes, before the provider is asked, that a status question
// about p is under way, and when the next is due. Only one of several askers
// gets it: the others get ErrMoved and answer from the table.
func (l *Ledger) ClaimCheck(ctx context.Context, p Payment) (Payment, error) {
	err := l.table.Write(ctx, table.Put(p.record()))
	switch {
	case err == nil:
		p.version++
		return p, nil
	case errors.Is(err, table.ErrConflict):
		return Payment{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Payment{}, fmt.Errorf("claim check of %s: %w", p.Reference, err)
	}
}
