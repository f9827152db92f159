package ledger

import (
	"context"
	"errors"
	"time"
)

// openMost bounds how many payments OpenByAccount reads.
const openMost = 10_000

// OpenByAccount counts the open payments of each account by its id. It reads
// each of them, so it is for a person's question, not for a schedule. truncated:
// there are more than it reads, and the counts are lower bounds.
func (l *Ledger) OpenByAccount(ctx context.Context, now time.Time) (open map[string]int, truncated bool, err error) {
	seen := map[string]bool{}
	var all []string
	add := func(reference string) {
		if reference != "" && !seen[reference] {
			seen[reference] = true
			all = append(all, reference)
		}
	}
	for shard := range DueShards {
		for p := (Paging{}); ; {
			due, err := l.Due(ctx, DueQuery{Kind: DuePayment, Shard: shard, Before: now.Add(openHorizon)}, p)
			if err != nil {
				return nil, false, err
			}
			for _, d := range due.Items {
				add(d.Reference)
			}
			if p.Cursor = due.Next; p.Cursor == "" || len(all) > openMost {
				break
			}
		}
	}
	for p := (Paging{}); ; { // those that are held have no check to come
		inbox, err := l.Inbox(ctx, InboxQuery{Kind: AttentionPayment}, p)
		if err != nil {
			return nil, false, err
		}
		for _, a := range inbox.Items {
			add(a.Reference)
		}
		if p.Cursor = inbox.Next; p.Cursor == "" || len(all) > openMost {
			break
		}
	}
	if truncated = len(all) > openMost; truncated {
		all = all[:openMost]
	}
	accounts := make([]string, len(all))
	err = l.sideBySide(ctx, len(all), func(ctx context.Context, i int) error {
		p, err := l.Payment(ctx, all[i])
		if err == nil && p.Open() {
			accounts[i] = p.AccountID()
		} else if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	})
	open = map[string]int{}
	for _, account := range accounts {
		if account != "" {
			open[account]++
		}
	}
	return open, truncated, err
}
