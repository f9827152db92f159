package main

import (
	"context"
	"time"

	"momoproxy/shared/ledger"
)

// ended calls f once with every payment that ended at from or later and before
// to, of one client or, with an empty id, of all; and with those whose refund
// ended then.
func (s *session) ended(ctx context.Context, client string, from, to time.Time, f func(ledger.Payment) error) error {
	walk := walker[ledger.Payment]{session: s, client: client, fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.EndedPayments(ctx, client, from, to, p)
	}}
	seen := map[string]bool{}
	var at position
	for {
		found, next, done, err := walk.page(ctx, at, ledger.MaxListed)
		if err != nil {
			return err
		}
		for _, p := range found {
			if seen[p.Reference] {
				continue
			}
			seen[p.Reference] = true
			if err := f(p); err != nil {
				return err
			}
		}
		if at = next; done {
			return nil
		}
	}
}
