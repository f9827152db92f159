package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// Change is one state change of a payment with everything that must be
// written together with it.
type Change struct {
	Before   Payment
	Decision payment.Decision
	// AnswerKind and AnswerDetail, if not empty, replace the payment's.
	AnswerKind   string
	AnswerDetail string
	// Audit holds the exchanges that led to the change.
	Audit []AuditRecord
	// Bodies are the callbacks of the decision's events, in their order; one
	// that is missing or nil is payment.Announcement.
	Bodies [][]byte
}

// Apply writes a change in one transaction: the payment under the version
// that was read, the deliveries of its events, the external-id lock (freed by
// an ending other than SUCCESSFUL, taken again by a correction), the look-up
// of ids that are new, and the audit records. It returns the payment as
// stored and the deliveries made, in sequence. ErrStale: the payment has
// changed since it was read; nothing was written.
func (l *Ledger) Apply(ctx context.Context, c Change) (Payment, []delivery.Delivery, error) {
	after := c.Before
	after.Payment = c.Decision.Payment
	if c.AnswerKind != "" {
		after.AnswerKind, after.AnswerDetail = c.AnswerKind, c.AnswerDetail
	}
	ops := append([]table.Op{l.putPayment(after)}, l.expireRequest(c.Before, after)...)

	var made []delivery.Delivery
	for i, e := range c.Decision.Events {
		// Due at once: behind an earlier one of its payment it waits.
		sequence, body := c.Decision.Sequence(i), []byte(nil)
		if i < len(c.Bodies) {
			body = c.Bodies[i]
		}
		if body == nil {
			body = payment.Announcement(after.Payment, e, sequence)
		}
		d := delivery.New(after.Payment, e, sequence, string(body))
		made = append(made, d)
		ops = append(ops, l.putDelivery(d))
	}
	ops = append(ops, l.newIDs(c.Before.Payment, after)...)
	lock := lockKey(after.ClientID, after.ExternalID)
	switch {
	case c.Before.Open() && !after.Open() && after.Status != payment.Successful:
		// Ours for certain: while a payment is open nobody else can hold it.
		// Version 1, unless an earlier payment of the order was corrected.
		ops = append(ops, table.Delete(lock, 1))
	case !c.Before.Open() && c.Before.Status != payment.Successful && after.Status == payment.Successful:
		ops = append(ops, table.Put(table.Record{Key: lock, Attributes: map[string]any{"reference": after.Reference}}))
	}
	for i := range c.Audit {
		c.Audit[i].Version = after.version + 1
	}
	ops = append(ops, l.auditOps(c.Audit)...)

	err := l.table.Write(ctx, ops...)
	var conflict *table.ConflictError
	if errors.As(err, &conflict) && len(conflict.Ops) == 1 {
		if stored, on := conflict.On(lock); on {
			err = l.table.Write(ctx, sharedLock(ops, stored, after.Payment)...)
		}
	}
	switch {
	case err == nil:
		return after.written(), written(made), nil
	case errors.Is(err, table.ErrConflict):
		return Payment{}, nil, fmt.Errorf("%w: %v", ErrStale, err)
	case !errors.Is(err, table.ErrUnavailable) && !errors.Is(err, table.ErrInvalid) && l.stands(ctx, after):
		// The answer was lost, the write was not.
		return after.written(), written(made), nil
	default:
		return Payment{}, nil, fmt.Errorf("apply %s: %w", after.Reference, err)
	}
}

// written is what is stored once a write has taken effect.
func (p Payment) written() Payment {
	p.version++
	return p
}

func written(made []delivery.Delivery) []delivery.Delivery {
	for i := range made {
		made[i].Version = 1
	}
	return made
}

// stands says whether the payment is stored just as a write whose answer was
// lost would have left it.
func (l *Ledger) stands(ctx context.Context, p Payment) bool {
	stored, err := l.Payment(ctx, p.Reference)
	if err != nil {
		return false
	}
	p.version++
	return reflect.DeepEqual(stored, p)
}

// sharedLock replaces the op on the lock of an order that has two payments:
// one was corrected to SUCCESSFUL while another is live or successful. Both
// stand, and the correction's anomaly tells the operator. The lock stays with
// the other and remembers the one that was paid; it passes to that one when
// the other ends without success, so that the order is never free again.
func sharedLock(ops []table.Op, stored table.Record, p payment.Payment) []table.Op {
	paid, _ := stored.Attributes["paid"].(string)
	next := table.Record{Key: stored.Key, Version: stored.Version}
	switch {
	case p.Status == payment.Successful:
		next.Attributes = map[string]any{"reference": stored.Attributes["reference"], "paid": p.Reference}
	case paid != "" && stored.Attributes["reference"] == p.Reference:
		next.Attributes = map[string]any{"reference": paid}
	}
	kept := make([]table.Op, 0, len(ops))
	for _, op := range ops {
		switch {
		case op.Record.Key != stored.Key:
			kept = append(kept, op)
		case next.Attributes != nil:
			kept = append(kept, table.Put(next))
		}
	}
	return kept
}

// ClaimCheck notes, before the provider is asked, that a status question
// about p is under way, and when the next is due. Only one of several askers
// gets it: the others get ErrStale and answer from the table.
func (l *Ledger) ClaimCheck(ctx context.Context, p Payment) (Payment, error) {
	if err := l.write(ctx, "claim check of "+p.Reference, l.putPayment(p)); err != nil {
		return Payment{}, err
	}
	p.version++
	return p, nil
}
