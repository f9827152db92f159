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
	Limit     int       // of writes, each with one record or more; outside 1 to table.MaxLimit: that
	Cursor    string
}

func (q AuditQuery) partition() string {
	switch {
	case q.Reference != "":
		return paymentPartition(q.Reference)
	case q.ClientID != "":
		return clientPrefix + q.ClientID
	case q.Kind == AuditProvider:
		return providerPartition(q.Hour)
	}
	return unmatchedPartition(q.Hour)
}

func (q AuditQuery) table() table.Query {
	t := table.Query{Space: table.Audit, Partition: q.partition(), Limit: q.Limit, After: q.Cursor}
	if t.Limit < 1 || t.Limit > table.MaxLimit {
		t.Limit = table.MaxLimit
	}
	if !q.From.IsZero() {
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
	records, _, next, err := l.auditPage(ctx, q.table(), q.Reference)
	return Page[AuditRecord]{slices.DeleteFunc(records, func(a AuditRecord) bool {
		return !q.From.IsZero() && a.At.Before(Clock(q.From)) || !q.To.IsZero() && !a.At.Before(Clock(q.To))
	}), next}, err
}

// AuditEnds reads the first and the last n audit records of a payment, oldest
// first. whole: there are no others between them.
func (l *Ledger) AuditEnds(ctx context.Context, reference string, n int) (records []AuditRecord, whole bool, err error) {
	q := AuditQuery{Reference: reference, Limit: n}.table()
	records, last, next, err := l.auditPage(ctx, q, reference)
	if err != nil || next == "" {
		return records, err == nil, err
	}
	q.From, q.Descending = last+"!", true // behind last, and before any other
	tail, _, next, err := l.auditPage(ctx, q, reference)
	records = append(records, tail...)
	slices.SortStableFunc(records, byTime)
	return records, next == "", err
}

// auditPage also returns the sort of the last record that was read.
func (l *Ledger) auditPage(ctx context.Context, q table.Query, reference string) (records []AuditRecord, last, next string, err error) {
	page, err := l.query(ctx, "read audit", q)
	if err != nil {
		return nil, "", "", err
	}
	records = make([]AuditRecord, 0, len(page.Records))
	for _, rec := range page.Records {
		a, err := auditFrom(rec, reference)
		if err != nil {
			return nil, "", "", err
		}
		records, last = append(records, a...), rec.Sort
	}
	slices.SortStableFunc(records, byTime)
	return records, last, page.Next, nil
}
