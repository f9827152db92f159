package console

import (
	"context"
	"slices"
	"sync"
	"time"
)

// recent holds the payments of the last days in memory, so that counts and
// look-ups cost a read of what is new and of what is open, and no more.
type recent struct {
	records *records

	mu        sync.Mutex
	payments  map[string]Payment
	newest    time.Time
	filledAt  time.Time
	updatedAt time.Time
	truncated bool // there are more than mostRecent
}

const (
	recentFor  = 7 * 24 * time.Hour
	mostRecent = 20000
	// refill reads everything anew, so that an ending which the provider has
	// corrected is seen.
	refill = 10 * time.Minute
	// indexLag is how far behind a list of payments may be.
	indexLag = 10 * time.Second
)

func newRecent(r *records) *recent { return &recent{records: r} }

// all returns the payments of the last days, newest first, at most maxAge old.
func (r *recent) all(ctx context.Context, apps []App, maxAge time.Duration) ([]Payment, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.records.now()
	if now.Sub(r.updatedAt) >= maxAge || now.Before(r.updatedAt) {
		if err := r.update(ctx, apps, now); err != nil {
			return nil, false, err
		}
	}
	all := make([]Payment, 0, len(r.payments))
	for _, p := range r.payments {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Payment) int {
		if before(place{a.CreatedAt, a.Reference}, place{b.CreatedAt, b.Reference}) {
			return -1
		}
		return 1
	})
	return all, r.truncated, nil
}

func (r *recent) update(ctx context.Context, apps []App, now time.Time) error {
	full := now.Sub(r.filledAt) >= refill || now.Before(r.filledAt)
	since := r.newest.Add(-indexLag)
	if full || r.newest.IsZero() {
		since = now.Add(-recentFor)
	}
	read := map[string]Payment{}
	truncated := false
	for from := (place{}); ; {
		page, next, err := r.records.payments(ctx, apps, "", from, place{At: since}, mostRead, nil)
		if err != nil {
			return err
		}
		for _, p := range page {
			read[p.Reference] = p
		}
		if next.Reference == "" {
			break
		}
		if len(read) >= mostRecent {
			truncated = true
			break
		}
		from = next
	}
	if full {
		r.payments, r.filledAt, r.truncated = read, now, truncated
	} else {
		for reference, p := range r.payments {
			if _, ok := read[reference]; ok || !p.Open() {
				continue
			}
			fresh, err := r.records.payment(ctx, reference)
			if err != nil {
				return err
			}
			read[reference] = fresh
		}
		for reference, p := range read {
			r.payments[reference] = p
		}
	}
	for _, p := range read {
		if p.CreatedAt.After(r.newest) {
			r.newest = p.CreatedAt
		}
	}
	r.updatedAt = now
	return nil
}
