package ledger

import (
	"context"
	"errors"
	"fmt"
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
	at, _, err := l.heartbeat(ctx)
	return at, err
}

func (l *Ledger) heartbeat(ctx context.Context) (at time.Time, version int64, err error) {
	rec, err := l.table.Get(ctx, heartbeatKey())
	if errors.Is(err, table.ErrNotFound) {
		return time.Time{}, 0, nil
	}
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("read heartbeat: %w", err)
	}
	r := &reader{rec: rec}
	at = r.time("beat_at")
	return at, rec.Version, r.err
}

// Beat stores now as the reconciler's heartbeat, unless the stored one is
// less than beatEvery old. One from a clock that ran ahead is replaced.
func (l *Ledger) Beat(ctx context.Context, now time.Time) error {
	at, version, err := l.heartbeat(ctx)
	if err != nil {
		return err
	}
	if age := now.Sub(at); age >= 0 && age < beatEvery {
		return nil
	}
	w := writer{}
	w.time("beat_at", now)
	err = l.write(ctx, "write heartbeat", table.Put(table.Record{Key: heartbeatKey(), Version: version, Attributes: w}))
	if errors.Is(err, ErrStale) { // another run was faster
		return nil
	}
	return err
}
