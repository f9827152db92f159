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

// DueQuery asks for what is due in one shard before a time.
type DueQuery struct {
	Kind   DueKind
	Shard  int // below DueShards
	Before time.Time
}

// Due lists payments by their next check, or deliveries by their next attempt,
// the most overdue first.
func (l *Ledger) Due(ctx context.Context, q DueQuery, p Paging) (Page[Due], error) {
	kind := string(q.Kind)
	return page(ctx, l, "read due "+kind, table.Query{
		Space: table.Main, Index: IndexDue, Partition: duePartition(q.Shard),
		From: kind + "#", To: kind + "#" + timeKey(q.Before), Limit: p.within(table.MaxLimit), After: p.Cursor,
	}, dueFrom)
}

func dueFrom(rec table.Record) (Due, error) {
	parts := strings.SplitN(rec.Index[IndexDue].Sort, "#", 4) // kind, time, client
	if len(parts) >= 3 {
		if at, err := readTimeKey(parts[1]); err == nil {
			return Due{Reference: referenceOf(rec.Partition), ClientID: parts[2], Sequence: sequenceOf(rec.Sort), At: at}, nil
		}
	}
	return Due{}, fmt.Errorf("%w: due entry of %s", ErrCorrupt, rec.Key)
}
