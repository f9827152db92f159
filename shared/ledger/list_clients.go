package ledger

import (
	"context"
	"errors"
	"strings"

	"momoproxy/shared/table"
)

// ListClients lists all clients, oldest first, with their secrets opened, at
// most MaxListed a page. ErrCursor: a cursor that this list did not give. A client whose secrets do not open ends the walk
// with ErrCorrupt and its id: list ids with ListClientIDs to go round it.
func (l *Ledger) ListClients(ctx context.Context, p Paging) (Page[Client], error) {
	ids, err := l.ListClientIDs(ctx, p)
	if err != nil {
		return Page[Client]{}, err
	}
	page := Page[Client]{make([]Client, 0, len(ids.Items)), ids.Next}
	for _, id := range ids.Items {
		c, err := l.Client(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Page[Client]{}, err
		}
		page.Items = append(page.Items, c)
	}
	return page, nil
}

// ListClientIDs is ListClients without reading the clients: it works when a
// sealing key is lost.
func (l *Ledger) ListClientIDs(ctx context.Context, p Paging) (Page[string], error) {
	page, err := l.query(ctx, "list clients", table.Query{
		Space: table.Main, Index: IndexList, Partition: clientsPartition, Limit: p.within(MaxListed), After: p.Cursor,
	})
	if err != nil {
		return Page[string]{}, err
	}
	ids := make([]string, 0, len(page.Records))
	for _, rec := range page.Records {
		ids = append(ids, strings.TrimPrefix(rec.Partition, clientPrefix))
	}
	return Page[string]{ids, page.Next}, nil
}
