package ledger

import (
	"context"

	"momoproxy/shared/table"
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string // the cursor of the next page; empty: the list has ended
}

// Paging names a page: behind Cursor (empty: from the beginning), and of at
// most Limit items. A Limit that a list does not allow becomes its largest.
type Paging struct {
	Limit  int
	Cursor string
}

// within is the limit, if it is 1 to most; else most.
func (p Paging) within(most int) int {
	if p.Limit < 1 || p.Limit > most {
		return most
	}
	return p.Limit
}

// page reads one page, each record by from.
func page[T any](ctx context.Context, l *Ledger, what string, q table.Query, from func(table.Record) (T, error)) (found Page[T], err error) {
	records, err := l.query(ctx, what, q)
	if err != nil {
		return found, err
	}
	found = Page[T]{make([]T, len(records.Records)), records.Next}
	for i, rec := range records.Records {
		if found.Items[i], err = from(rec); err != nil {
			return Page[T]{}, err
		}
	}
	return found, nil
}
