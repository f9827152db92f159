package ledger

import (
	"context"
	"strings"

	"momoproxy/shared/table"
)

// ListClientIDs lists all clients, oldest first, at most MaxListed a page. It
// opens no secret, so it works when a sealing key is lost.
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
