package ledger

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

// SaveDelivery writes a delivery under the version that was read, with the
// audit record of the request for the change. ErrStale: it has changed since.
func (l *Ledger) SaveDelivery(ctx context.Context, d delivery.Delivery, audit ...AuditRecord) (delivery.Delivery, error) {
	err := l.write(ctx, "write delivery "+d.EventID, append([]table.Op{l.putDelivery(d)}, l.auditOps(audit)...)...)
	if err != nil {
		return delivery.Delivery{}, err
	}
	d.Version++
	return d, nil
}

// SaveAttempt writes what an attempt led to: the delivery as it now stands,
// under the claim's version, and the audit record, in one transaction.
// ErrStale: the claim was lost; the attempt happened all the same, so its audit
// record is written without the delivery.
func (l *Ledger) SaveAttempt(ctx context.Context, d delivery.Delivery, audit AuditRecord) (delivery.Delivery, error) {
	after, err := l.SaveDelivery(ctx, d, audit)
	if errors.Is(err, ErrStale) {
		audit.Note = "claim lost: " + audit.Note
		if lateErr := l.Audit(ctx, audit); lateErr != nil {
			return delivery.Delivery{}, fmt.Errorf("record late attempt: %w", lateErr)
		}
	}
	return after, err
}
