package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

// LatestAttempts reads the latest n attempts (1 to 1,000) of one event, oldest
// first; none is an empty slice. It reads no more than those: an event that
// was probed with for days has well over a thousand. delivery.Delivery.Claims says how
// many there are; an attempt whose worker died has left none.
func (l *Ledger) LatestAttempts(ctx context.Context, reference string, sequence, n int) ([]delivery.Attempt, error) {
	from := attemptKey(strings.ToLower(reference), sequence, 0)
	// "~" sorts behind every number of this event, and before the next event's.
	to := strings.TrimRight(from.Sort, "0123456789") + "~"
	q := table.Query{Space: table.Main, Partition: from.Partition, From: from.Sort, To: to, Descending: true, Limit: n}
	found := make([]delivery.Attempt, 0, n)
	for len(found) < n {
		page, err := l.table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read attempts: %w", err)
		}
		for _, rec := range page.Records {
			a, err := attemptFrom(rec)
			if err != nil {
				return nil, err
			}
			found = append(found, a)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	found = found[:min(n, len(found))]
	slices.Reverse(found)
	return found, nil
}
