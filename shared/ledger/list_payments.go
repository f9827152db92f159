package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// PaymentFilter narrows a list of payments. The zero value lets all through.
type PaymentFilter struct {
	ExternalID string
	Statuses   []payment.Status // one of these; none: any
	From, To   time.Time        // From <= CreatedAt < To, in milliseconds; zero: unbounded
	// Payer lists the payments of one phone number instead: of all clients,
	// unless one is named.
	Payer      payment.MSISDN
	Provider   string
	Reason     string    // as stored; letter case does not count
	EndedSince time.Time // EndedAt at this time or later; open payments have none
}

func (f PaymentFilter) match(p Payment) bool {
	if f.ExternalID != "" && p.ExternalID != f.ExternalID {
		return false
	}
	if !f.From.IsZero() && p.CreatedAt.Before(Clock(f.From)) || !f.To.IsZero() && !p.CreatedAt.Before(Clock(f.To)) {
		return false
	}
	switch {
	case f.Payer != "" && p.Payer != f.Payer,
		f.Provider != "" && p.Provider != f.Provider,
		f.Reason != "" && !strings.EqualFold(p.Reason, f.Reason),
		!f.EndedSince.IsZero() && p.EndedAt.Before(Clock(f.EndedSince)):
		return false
	}
	return len(f.Statuses) == 0 || slices.Contains(f.Statuses, p.Status)
}

// readsMore says that the filter needs the payments themselves, so that a
// page of index entries yields fewer.
func (f PaymentFilter) readsMore() bool {
	return f.ExternalID != "" || len(f.Statuses) > 0 || f.Provider != "" || f.Reason != "" || !f.EndedSince.IsZero()
}

const (
	// MaxListed is the most payments or clients of one page.
	MaxListed = 100
	// maxLooked bounds the payments that one call reads to find those that a
	// filter lets through.
	maxLooked = 500
	// lookers read side by side what no call reads together.
	lookers = 10
	// cursorStart is where the walk begins, for a first page that the holder
	// of an external id fills.
	cursorStart = "start"
)

// ErrCursor: a cursor that this list did not give.
var ErrCursor = errors.New("not a cursor of this list")

// ListPayments lists a client's payments, newest first, at most MaxListed a
// page. A filter that needs the payments themselves reads at most maxLooked of
// them a call, so such a page may be short, or empty, and still have a cursor.
//
// With an external id the payment that holds it comes first, before all that
// have ended and left it: the one mostly sought costs one read, however long
// the list is. A payment that loses the id between two pages may appear on
// both.
//
// A cursor names a place in the list and nothing else: it is good for this
// client and the same From and To, and gives ErrCursor for others. The list
// may lag behind a new payment for a moment.
func (l *Ledger) ListPayments(ctx context.Context, clientID string, f PaymentFilter, p Paging) (page Page[Payment], err error) {
	limit := p.within(MaxListed)
	page.Items = []Payment{}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return page, nil
	}
	q := table.Query{Space: table.Main, Index: IndexList, Partition: listPartition(clientID), Descending: true, After: p.Cursor}
	if f.Payer != "" {
		if l.hashPayer == nil {
			return Page[Payment]{}, fmt.Errorf("list payments: %w", errNoPayerKey)
		}
		q.Index, q.Partition = IndexPayer, l.hashPayer(string(f.Payer))
	}
	if !f.From.IsZero() {
		q.From = timeKey(f.From)
	}
	if !f.To.IsZero() {
		q.To = timeKey(f.To)
	}
	if p.Cursor == cursorStart {
		q.After = ""
	}
	var holder string
	if f.ExternalID != "" && clientID != "" {
		held, err := l.ExternalIDHolder(ctx, clientID, f.ExternalID)
		if err != nil {
			return Page[Payment]{}, err
		}
		holder = held.Reference
		if holder != "" && p.Cursor == "" && f.match(held) {
			page.Items = append(page.Items, held)
		}
	}
	for looked := 0; ; {
		if len(page.Items) == limit { // the holder alone fills it
			page.Next = cursorStart
			return page, nil
		}
		q.Limit = min(limit-len(page.Items), maxLooked-looked)
		if f.readsMore() {
			q.Limit = min(MaxListed, maxLooked-looked)
		}
		entries, err := l.query(ctx, "list payments", q)
		if err != nil {
			return Page[Payment]{}, err
		}
		payments, err := l.readListed(ctx, entries.Records)
		if err != nil {
			return Page[Payment]{}, err
		}
		for i, found := range payments {
			// The index may lag: what was read decides.
			if found.Reference == "" || clientID != "" && found.ClientID != clientID || found.Reference == holder || !f.match(found) {
				continue
			}
			page.Items = append(page.Items, found)
			if len(page.Items) == limit && i+1 < len(payments) {
				page.Next = table.EncodeCursor(q, entries.Records[i])
				return page, nil
			}
		}
		looked += len(entries.Records)
		if entries.Next == "" || len(page.Items) == limit || looked >= maxLooked {
			page.Next = entries.Next
			return page, nil
		}
		q.After = entries.Next
	}
}

// ExternalIDHolder is the live or successful payment of the client with this
// external id; without one its Reference is empty.
func (l *Ledger) ExternalIDHolder(ctx context.Context, clientID, externalID string) (Payment, error) {
	rec, err := l.getOrNew(ctx, "read external id", lockKey(clientID, externalID))
	if err != nil {
		return Payment{}, err
	}
	reference, err := textOf(rec, "reference")
	if err != nil {
		return Payment{}, err
	}
	p, err := l.Payment(ctx, reference)
	if errors.Is(err, ErrNotFound) {
		return Payment{}, nil
	}
	return p, err
}

// readListed reads the payments of at most MaxListed index entries in their
// order, in one call, and in one more what is apart from them. One that is gone
// stays the zero value.
func (l *Ledger) readListed(ctx context.Context, entries []table.Record) ([]Payment, error) {
	found := make([]Payment, len(entries))
	keys := make([]table.Key, len(entries))
	for i, e := range entries {
		keys[i] = paymentKey(referenceOf(e.Partition))
	}
	records, err := l.getMany(ctx, "read payments", keys)
	if err != nil {
		return nil, err
	}
	var apart []int
	keys = keys[:0]
	for i, rec := range records {
		if rec.Version == 0 {
			continue
		}
		p, err := paymentFrom(rec)
		if err != nil {
			return nil, err
		}
		if found[i] = p.Payment; p.apart {
			apart, keys = append(apart, i), append(keys, requestKey(p.Reference))
		}
	}
	records, err = l.getMany(ctx, "read requests", keys)
	if err != nil {
		return nil, err
	}
	for i, rec := range records {
		if err := found[apart[i]].addRequest(rec); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (l *Ledger) getMany(ctx context.Context, what string, keys []table.Key) ([]table.Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	records, err := l.table.GetMany(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return records, nil
}

// sideBySide reads n things, a few at a time, until one cannot be read.
func (l *Ledger) sideBySide(ctx context.Context, n int, read func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	faults := l.parallel.Each(ctx, lookers, n, func(i int) error {
		err := read(ctx, i)
		if err != nil {
			cancel()
		}
		return err
	})
	for _, err := range faults {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err // what the others were ended for
		}
	}
	return errors.Join(faults...)
}
