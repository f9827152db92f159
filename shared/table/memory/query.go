package memory

import (
	"context"
	"maps"
	"slices"

	"momoproxy/shared/table"
)

// Query implements table.Table. An index never lags here.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	q, err := table.CheckQuery(q)
	if err != nil {
		return table.Page{}, err
	}
	var after *entry
	if q.After != "" {
		p, err := table.DecodeCursor(q)
		if err != nil {
			return table.Page{}, err
		}
		if q.Index == "" {
			p.Key = table.Key{Space: q.Space, Partition: q.Partition, Sort: p.Sort}
		}
		after = &entry{sort: p.Sort, key: p.Key}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	entries := bounded(t.walks[walk{q.Space, q.Index, q.Partition}], q, after)

	more := len(entries) > q.Limit
	page := table.Page{Records: make([]table.Record, 0, min(len(entries), q.Limit))}
	for i := range cap(page.Records) {
		at := i
		if q.Descending {
			at = len(entries) - 1 - i
		}
		e := entries[at]
		if q.Index == "" {
			page.Records = append(page.Records, t.own(t.records[e.key]))
			continue
		}
		index := e.index
		if !t.Shared {
			index = maps.Clone(index)
		}
		page.Records = append(page.Records, table.Record{Key: e.key, Index: index})
	}
	if more {
		page.Next = table.EncodeCursor(q, page.Records[len(page.Records)-1])
	}
	return page, nil
}

// bounded cuts a walk down to what the query has still before it.
func bounded(entries []entry, q table.Query, after *entry) []entry {
	// The empty key sorts before all others, so this finds the first entry
	// of a sort.
	at := func(sort string) int {
		i, _ := slices.BinarySearchFunc(entries, entry{sort: sort}, compare)
		return i
	}
	low, high := 0, len(entries)
	if q.From != "" {
		low = at(q.From)
	}
	if q.To != "" {
		high = at(q.To)
	}
	if after != nil {
		i, found := slices.BinarySearchFunc(entries, *after, compare)
		switch {
		case q.Descending:
			high = min(high, i)
		case found:
			low = max(low, i+1)
		default:
			low = max(low, i)
		}
	}
	if low >= high {
		return nil
	}
	return entries[low:high]
}
