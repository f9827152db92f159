package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

// RefundChange is one state change of a refund with all that is written with it.
type RefundChange struct {
	Payment  Payment // as read
	Refund   Refund  // as read
	Decision refund.Decision
	Audit    []AuditRecord // what led to it
}

// ApplyRefund writes a change in one transaction: the refund under the version
// that was read, of an ending the payment under its version and the delivery of
// the event, and the audit records. ErrStale: one of them has changed since it
// was read; nothing was written.
func (l *Ledger) ApplyRefund(ctx context.Context, c RefundChange) (Payment, Refund, []delivery.Delivery, error) {
	f := c.Refund
	f.Refund = c.Decision.Refund
	ops, after, made := l.refundOps(c.Payment, f, c.Decision)
	ops = append(ops, l.auditOps(c.Audit)...)
	if err := l.write(ctx, "write refund "+f.ID, ops...); err != nil {
		return Payment{}, Refund{}, nil, err
	}
	return after.Payment, after.Refund, made, nil
}

// ClaimRefund notes, before the provider is asked, that it is: by a claim to
// send it, or by a question. Only one of several gets it: the others get
// ErrStale. On any other error it may be written or not, and nobody may send.
func (l *Ledger) ClaimRefund(ctx context.Context, f Refund, claimed refund.Refund) (Refund, error) {
	f.Refund = claimed
	if err := l.write(ctx, "claim refund "+f.ID, l.putRefund(f)); err != nil {
		return Refund{}, err
	}
	f.version++
	return f, nil
}

// Refund reads one refund, or ErrNotFound.
func (l *Ledger) Refund(ctx context.Context, reference, id string) (Refund, error) {
	if id == "" {
		return Refund{}, ErrNotFound
	}
	rec, err := l.table.Get(ctx, refundKey(strings.ToLower(reference), strings.ToLower(id)))
	if errors.Is(err, table.ErrNotFound) {
		return Refund{}, ErrNotFound
	}
	if err != nil {
		return Refund{}, fmt.Errorf("read refund: %w", err)
	}
	return refundFrom(rec)
}

// Refunds reads a payment's refunds, by id. None is an empty slice.
func (l *Ledger) Refunds(ctx context.Context, reference string) ([]Refund, error) {
	page, err := l.query(ctx, "read refunds", table.Query{
		Space: table.Main, Partition: paymentPartition(strings.ToLower(reference)),
		From: refundPrefix, To: refundPrefix + "~", Limit: refund.MaxRefunds,
	})
	if err != nil {
		return nil, err
	}
	all := make([]Refund, 0, len(page.Records))
	for _, rec := range page.Records {
		f, err := refundFrom(rec)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// DueRefund names a refund that is to be sent or asked about. The index may
// lag: read the record and decide on that.
type DueRefund struct {
	Reference string // of the payment
	ID        string
	At        time.Time
}

// DueRefunds lists refunds by the time at which they are next sent or asked
// about, up to a time, the most overdue first.
func (l *Ledger) DueRefunds(ctx context.Context, before time.Time, p Paging) (Page[DueRefund], error) {
	page, err := l.query(ctx, "read due refunds", table.Query{
		Space: table.Main, Index: IndexDue, Partition: dueRefunds, To: refundPrefix + timeKey(before), Limit: p.within(table.MaxLimit), After: p.Cursor,
	})
	if err != nil {
		return Page[DueRefund]{}, err
	}
	due := Page[DueRefund]{Next: page.Next}
	for _, rec := range page.Records {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(rec.Index[IndexDue].Sort, refundPrefix), "#")
		at, err := time.Parse(timeLayout, stamp)
		if err != nil {
			return Page[DueRefund]{}, fmt.Errorf("%w: due entry of %s", ErrCorrupt, rec.Key)
		}
		due.Items = append(due.Items, DueRefund{Reference: referenceOf(rec.Partition), ID: strings.TrimPrefix(rec.Sort, refundPrefix), At: at})
	}
	return due, nil
}
