package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

const (
	// slotRounds bounds the tries for a slot: in each lost round somebody
	// else got one.
	slotRounds = 12
	// slotHorizon (beyond a limit's own burst) is further ahead than anybody reserves: a later mark was
	// made by a clock that ran ahead, and is not waited for.
	slotHorizon = time.Minute
)

// SlotLimit is a limit of requests, over all functions: slots lie Every apart,
// and after a quiet time Burst more may be taken at once, so that no stretch of
// time t holds more than t/Every + Burst + 1. Every 0 means no limit.
type SlotLimit struct {
	Name  string
	Every time.Duration
	Burst int
}

// ReserveSlot takes the next free slot of a limit. The caller waits for wait
// before it asks. ok is false when the next free slot is more than maxWait
// away; then wait says how far.
func (l *Ledger) ReserveSlot(ctx context.Context, limit SlotLimit, now time.Time, maxWait time.Duration) (wait time.Duration, ok bool, err error) {
	if limit.Every <= 0 {
		return 0, true, nil
	}
	key := table.Key{Space: table.Main, Partition: "limit#" + limit.Name, Sort: "limit"}
	for range slotRounds {
		rec, err := l.table.Get(ctx, key)
		if errors.Is(err, table.ErrNotFound) {
			rec, err = table.Record{Key: key}, nil
		}
		if err != nil {
			return 0, false, fmt.Errorf("read limit: %w", err)
		}
		r := &reader{rec: rec}
		slot := r.time("next_free_at")
		if r.err != nil {
			return 0, false, r.err
		}
		ahead := time.Duration(limit.Burst) * limit.Every
		if slot.Before(now) || slot.Sub(now) > slotHorizon+ahead {
			slot = now
		}
		if wait = max(0, slot.Add(-ahead).Sub(now)); wait > maxWait {
			return wait, false, nil
		}
		rec.Attributes = map[string]any{"next_free_at": timeKey(slot.Add(limit.Every))}
		err = l.table.Write(ctx, table.Put(rec))
		if err == nil {
			return wait, true, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return 0, false, fmt.Errorf("reserve slot: %w", err)
		}
	}
	return maxWait, false, nil
}
