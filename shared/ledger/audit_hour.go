package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/table"
)

// AuditKind names audit records that belong to no payment and no client. They
// are kept by the hour.
type AuditKind string

const (
	// AuditUnmatched: callbacks that match nothing.
	AuditUnmatched AuditKind = "unmatched"
	// AuditProvider: our own calls to providers that are about no payment.
	AuditProvider AuditKind = "provider"
)

// AuditHour reads one page of the records of that kind in the hour (UTC) that
// at lies in, each page oldest first, and the cursor of the next; an empty one ends the
// list. A limit outside 1 to table.MaxLimit becomes that. ErrCursor: a cursor
// that this list did not give.
func (l *Ledger) AuditHour(ctx context.Context, kind AuditKind, at time.Time, limit int, cursor string) ([]AuditRecord, string, error) {
	if limit < 1 || limit > table.MaxLimit {
		limit = table.MaxLimit
	}
	partition := unmatchedPartition(at)
	if kind == AuditProvider {
		partition = providerPartition(at)
	}
	page, err := l.table.Query(ctx, table.Query{Space: table.Audit, Partition: partition, Limit: limit, After: cursor})
	if errors.Is(err, table.ErrInvalid) && cursor != "" {
		return nil, "", fmt.Errorf("%w: %v", ErrCursor, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read audit: %w", err)
	}
	records := make([]AuditRecord, 0, len(page.Records))
	for _, rec := range page.Records {
		a, err := auditFrom(rec, "")
		if err != nil {
			return nil, "", err
		}
		records = append(records, a)
	}
	slices.SortStableFunc(records, byTime)
	return records, page.Next, nil
}
