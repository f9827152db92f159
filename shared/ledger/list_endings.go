package ledger

import (
	"context"
	"slices"
	"time"

	"momoproxy/shared/table"
)

// EndedPayments lists a client's payments whose latest ending was at from or
// later and before to, oldest ending first, at most MaxListed a page. It finds
// them by the events of their endings, so it reads no older payments. A payment
// whose refund ended in that time is listed too, whenever it ended itself. A
// payment may be listed more than once; a page may be short, or empty, and still
// have a cursor. ErrCursor: the cursor is of another list.
func (l *Ledger) EndedPayments(ctx context.Context, clientID string, from, to time.Time, p Paging) (Page[Payment], error) {
	q := table.Query{
		Space: table.Main, Index: IndexList, Partition: eventsPartition(clientID),
		From: timeKey(Clock(from)), To: timeKey(Clock(to)), Limit: p.within(MaxListed), After: p.Cursor,
	}
	if q.From >= q.To {
		return Page[Payment]{}, nil
	}
	entries, err := l.query(ctx, "list endings", q)
	if err != nil {
		return Page[Payment]{}, err
	}
	// Events of one payment are often side by side.
	records := slices.CompactFunc(entries.Records, func(a, b table.Record) bool { return a.Partition == b.Partition })
	found, err := l.readListed(ctx, records)
	if err != nil {
		return Page[Payment]{}, err
	}
	found = slices.DeleteFunc(found, func(p Payment) bool {
		within := !p.EndedAt.Before(Clock(from)) && p.EndedAt.Before(Clock(to))
		return p.Reference == "" || p.ClientID != clientID || !within && p.Refunds.Count == 0
	})
	return Page[Payment]{found, entries.Next}, nil
}
