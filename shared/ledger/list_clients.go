package ledger

import (
	"context"
	"strings"

	"momoproxy/shared/table"
)

// ListClientIDs lists all clients, oldest first, at most MaxListed a page. It
// opens no secret, so it works when a sealing key is lost.
func (l *Ledger) ListClientIDs(ctx context.Context, p Paging) (Page[string], error) {
	return page(ctx, l, "list clients", table.Query{
		Space: table.Main, Index: IndexList, Partition: clientsPartition, Limit: p.within(MaxListed), After: p.Cursor,
	}, func(rec table.Record) (string, error) { return strings.TrimPrefix(rec.Partition, clientPrefix), nil })
}
