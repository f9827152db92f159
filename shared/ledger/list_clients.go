package ledger

import (
	"context"
	"errors"
	"strings"

	"momoproxy/shared/table"
)

// ListClients returns one page of all clients, oldest first, with their
// secrets opened, and the cursor of the next; an empty one ends the list. A
// limit outside 1 to MaxListed becomes MaxListed. ErrCursor: a cursor that
// this list did not give. A client whose secrets do not open ends the walk
// with ErrCorrupt and its id: list ids with ListClientIDs to go round it.
func (l *Ledger) ListClients(ctx context.Context, limit int, cursor string) ([]Client, string, error) {
	ids, next, err := l.ListClientIDs(ctx, limit, cursor)
	if err != nil {
		return nil, "", err
	}
	page := make([]Client, 0, len(ids))
	for _, id := range ids {
		c, err := l.Client(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, c)
	}
	return page, next, nil
}

// ListClientIDs is ListClients without reading the clients: it works when a
// sealing key is lost.
func (l *Ledger) ListClientIDs(ctx context.Context, limit int, cursor string) ([]string, string, error) {
	if limit < 1 || limit > MaxListed {
		limit = MaxListed
	}
	page, err := l.query(ctx, "list clients", table.Query{
		Space: table.Main, Index: IndexList, Partition: clientsPartition, Limit: limit, After: cursor,
	})
	if err != nil {
		return nil, "", err
	}
	ids := make([]string, 0, len(page.Records))
	for _, rec := range page.Records {
		ids = append(ids, strings.TrimPrefix(rec.Partition, clientPrefix))
	}
	return ids, page.Next, nil
}
