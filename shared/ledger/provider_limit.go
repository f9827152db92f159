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

// ReserveSlot takes the next free slot of a limit, over all functions: slots
// lie every apart, and after a quiet time burst more may be taken at once, so
// that no stretch of time t holds more than t/every + burst + 1. The caller
// waits for wait before it asks. ok is false when the next free slot is more
// than maxWait away; then wait says how far. every 0 means no limit.
func (l *Ledger) ReserveSlot(ctx context.Context, name string, every time.Duration, burst int, now time.Time, maxWait time.Duration) (wait time.Duration, ok bool, err error) {
	if every <= 0 {
		return 0, true, nil
	}
	key := table.Key{Space: table.Main, Partition: "limit#" + name, Sort: "limit"}
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
		ahead := time.Duration(burst) * every
		if slot.Before(now) || slot.Sub(now) > slotHorizon+ahead {
			slot = now
		}
		if wait = max(0, slot.Add(-ahead).Sub(now)); wait > maxWait {
			return wait, false, nil
		}
		rec.Attributes = map[string]any{"next_free_at": timeKey(slot.Add(every))}
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
