package ledger

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/table"
)

// beatEvery is the least time between two heartbeats. It is less than the
// minute of the schedule, whose runs do not start to the second, and more than
// the local system's two seconds.
const beatEvery = 45 * time.Second

func heartbeatKey() table.Key {
	return table.Key{Space: table.Main, Partition: "heartbeat", Sort: "reconciler"}
}

// Heartbeat is when the reconciler last ended a run and could store that.
// Zero: it has not yet.
func (l *Ledger) Heartbeat(ctx context.Context) (time.Time, error) {
	rec, err := l.getOrNew(ctx, "read heartbeat", heartbeatKey())
	if err != nil {
		return time.Time{}, err
	}
	return timeOf(rec, "beat_at")
}

// Beat stores now as the reconciler's heartbeat, unless the stored one is
// less than beatEvery old. One from a clock that ran ahead is replaced.
func (l *Ledger) Beat(ctx context.Context, now time.Time) error {
	rec, err := l.getOrNew(ctx, "read heartbeat", heartbeatKey())
	if err != nil {
		return err
	}
	at, err := timeOf(rec, "beat_at")
	if err != nil {
		return err
	}
	if age := now.Sub(at); age >= 0 && age < beatEvery {
		return nil
	}
	rec.Attributes = map[string]any{"beat_at": timeKey(now)}
	err = l.write(ctx, "write heartbeat", table.Put(rec))
	if errors.Is(err, ErrStale) { // another run was faster
		return nil
	}
	return err
}
