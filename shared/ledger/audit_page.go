package ledger

import (
	"context"
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

// AuditQuery is one page of audit records: of a payment, of a client (its
// changes, and requests that made no payment), or of the hour (UTC) of a kind
// that Hour lies in.
type AuditQuery struct {
	Reference string
	ClientID  string
	Kind      AuditKind
	Hour      time.Time
	From, To  time.Time // From <= At < To; zero: unbounded
	Behind    string    // an Item: only what was written behind it
	Latest    bool      // the pages go from the latest to the oldest
	Limit     int       // of writes, each with one record or more; outside 1 to table.MaxLimit: that
	Cursor    string
}

// partition is that of the records which it asks for.
func (q AuditQuery) partition() string {
	a := AuditRecord{Reference: q.Reference, ClientID: q.ClientID, At: q.Hour}
	if q.Kind == AuditProvider {
		a.Direction = OutboundToProvider
	}
	return a.partition()
}

func (q AuditQuery) table() table.Query {
	t := table.Query{Space: table.Audit, Partition: q.partition(), Limit: Paging{Limit: q.Limit}.within(table.MaxLimit), After: q.Cursor, Descending: q.Latest}
	switch {
	case q.Behind != "":
		t.From = q.Behind + "!" // before any other
	case !q.From.IsZero():
		t.From = timeKey(q.From.Truncate(time.Hour)) // the key of a hint has the hour alone
	}
	if !q.To.IsZero() {
		t.To = timeKey(q.To)
	}
	return t
}

// AuditPage reads one page, oldest first within it, and the cursor of the
// next; an empty one ends the list. Of an hour's hints a later page may hold
// older ones. ErrCursor: a cursor that this list did not give.
func (l *Ledger) AuditPage(ctx context.Context, q AuditQuery) (Page[AuditRecord], error) {
	items, err := page(ctx, l, "read audit", q.table(), func(rec table.Record) ([]AuditRecord, error) { return auditFrom(rec, q.Reference) })
	records := slices.DeleteFunc(slices.Concat(items.Items...), func(a AuditRecord) bool {
		return !q.From.IsZero() && a.At.Before(Clock(q.From)) || !q.To.IsZero() && !a.At.Before(Clock(q.To))
	})
	slices.SortStableFunc(records, byTime)
	return Page[AuditRecord]{records, items.Next}, err
}
