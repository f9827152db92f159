package ledger

import (
	"context"
	"errors"
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

// SlotRequest asks for slots of a limit.
type SlotRequest struct {
	Limit   SlotLimit
	From    time.Time     // none lies before
	MaxWait time.Duration // the first lies at most so far behind From
	// Count slots are wanted (0: one), as far as they lie Within behind the
	// first.
	Count  int
	Within time.Duration
}

// ReserveSlots takes the next free slots of a limit in one write, and tells
// their times. ok is false when the first is more than MaxWait away: then that
// is all it tells.
func (l *Ledger) ReserveSlots(ctx context.Context, r SlotRequest) (slots []time.Time, ok bool, err error) {
	if r.Limit.Every <= 0 {
		return []time.Time{r.From}, true, nil
	}
	key := table.Key{Space: table.Main, Partition: "limit#" + r.Limit.Name, Sort: "limit"}
	for range slotRounds {
		rec, err := l.getOrNew(ctx, "read limit", key)
		if err != nil {
			return nil, false, err
		}
		free, err := timeOf(rec, "next_free_at")
		if err != nil {
			return nil, false, err
		}
		slots, next := r.from(free)
		if slots[0].Sub(r.From) > r.MaxWait {
			return slots[:1], false, nil
		}
		rec.Attributes = map[string]any{"next_free_at": timeKey(next)}
		if err = l.write(ctx, "reserve slot", table.Put(rec)); !errors.Is(err, ErrStale) {
			return slots, err == nil, err
		}
	}
	return []time.Time{r.From.Add(r.MaxWait)}, false, nil
}

// from lists the slots that a request gets when the limit's next is free at a
// time, and tells what that becomes.
func (r SlotRequest) from(free time.Time) (slots []time.Time, next time.Time) {
	burst := time.Duration(r.Limit.Burst) * r.Limit.Every
	if free.Before(r.From) || free.Sub(r.From) > slotHorizon+burst {
		free = r.From
	}
	for {
		at := free.Add(-burst)
		if at.Before(r.From) {
			at = r.From
		}
		if n := len(slots); n > 0 && (n >= r.Count || at.Sub(slots[0]) > r.Within) {
			return slots, free
		}
		slots, free = append(slots, at), free.Add(r.Limit.Every)
	}
}
