package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// Due names one piece of due work. The index may lag: read the record and
// decide on that.
type Due struct {
	Reference string
	ClientID  string
	Sequence  int // of the delivery; 0 for a payment
	At        time.Time
}

// DuePayments lists the payments of one shard whose next check is due before
// the given time, the most overdue first.
func (l *Ledger) DuePayments(ctx context.Context, shard int, before time.Time, p Paging) (Page[Due], error) {
	return l.due(ctx, dueKindPayment, shard, before, p)
}

// DueDeliveries does the same for deliveries' next attempts.
func (l *Ledger) DueDeliveries(ctx context.Context, shard int, before time.Time, p Paging) (Page[Due], error) {
	return l.due(ctx, dueKindDelivery, shard, before, p)
}

func (l *Ledger) due(ctx context.Context, kind string, shard int, before time.Time, p Paging) (Page[Due], error) {
	page, err := l.query(ctx, "read due "+kind, table.Query{
		Space: table.Main, Index: IndexDue, Partition: duePartition(shard),
		From: kind + "#", To: kind + "#" + timeKey(before), Limit: p.within(table.MaxLimit), After: p.Cursor,
	})
	if err != nil {
		return Page[Due]{}, err
	}
	due := Page[Due]{Next: page.Next}
	for _, rec := range page.Records {
		parts := strings.SplitN(rec.Index[IndexDue].Sort, "#", 4) // kind, time, client
		if len(parts) < 3 {
			return Page[Due]{}, fmt.Errorf("%w: due entry of %s", ErrCorrupt, rec.Key)
		}
		at, err := time.Parse(timeLayout, parts[1])
		if err != nil {
			return Page[Due]{}, fmt.Errorf("%w: due entry of %s", ErrCorrupt, rec.Key)
		}
		due.Items = append(due.Items, Due{Reference: referenceOf(rec.Partition), ClientID: parts[2], Sequence: sequenceOf(rec.Sort), At: at})
	}
	return due, nil
}
