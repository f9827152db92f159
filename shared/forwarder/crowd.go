package forwarder

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// An attempt that waits keeps its batch, and an app may have any number of
// endpoints, or be asked for old events by hand: no endpoint's own breaker
// bounds what waits for it in all. So a client's attempts that are left waiting
// are counted together, whatever they are for. When crowdMost wait at once, the
// client is suspect: from then on, and until it has not been so crowded for
// suspectFor, each attempt is counted before it begins, and one too many is put
// off. What was begun in the second or so before that comes on top.
//
// The count stands in a record like an endpoint's (delivery.AllEndpoints), whose
// Stalled is the count, StalledAt when it last grew and OpenedAt when it was
// last full. A count that a dead worker left behind is forgotten when none can
// wait any more.
const (
	crowdMost  = 8
	suspectFor = time.Minute
)

func suspect(e delivery.Endpoint, now time.Time) bool {
	since := now.Sub(e.OpenedAt)
	return !e.OpenedAt.IsZero() && since >= 0 && since < suspectFor
}

// joined is the count with one attempt more, and whether there was room.
func joined(e delivery.Endpoint, now time.Time) (after delivery.Endpoint, room bool) {
	if now.Before(e.StalledAt) || !now.Before(e.StrainEnd()) {
		e.Stalled = 0
	}
	room = e.Stalled < crowdMost
	e.Stalled++
	e.StalledAt = now
	if e.Stalled >= crowdMost {
		e.OpenedAt = now
	}
	return e, room
}

// enter counts an attempt that is about to begin, if its client is suspect.
// ok: it may begin.
func (f *Forwarder) enter(ctx context.Context, w work, now time.Time) (counted, ok bool, err error) {
	e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	for range changes {
		if err != nil || !suspect(e, now) {
			return false, err == nil, err
		}
		after, room := joined(e, now)
		if !room {
			return false, false, nil
		}
		if _, err = f.Ledger.SaveEndpoint(ctx, after, now); !errors.Is(err, ledger.ErrStale) {
			return err == nil, err == nil, err
		}
		e, err = f.Ledger.FreshEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	}
	return false, false, err // others were faster all the time: it is crowded
}

// count counts an attempt that waits, or one that does no longer, and says
// whether it did. What is lost is forgotten in time.
func (f *Forwarder) count(ctx context.Context, w work, waits bool) bool {
	for range 2 * changes {
		now := ledger.Clock(f.Now())
		e, err := f.Ledger.FreshEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
		if err != nil {
			break
		}
		if waits {
			e, _ = joined(e, now)
		} else {
			e.Stalled = max(0, e.Stalled-1)
		}
		if _, err = f.Ledger.SaveEndpoint(ctx, e, now); err == nil {
			return true
		} else if !errors.Is(err, ledger.ErrStale) {
			break
		}
	}
	f.Log.WarnContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", delivery.AllEndpoints)
	return false
}

// crowdedOut is what becomes of an attempt for which there is no room. A probe
// is left to the sweeper, which makes another.
func (f *Forwarder) crowdedOut(ctx context.Context, w work, now time.Time) error {
	if w.cause == delivery.CauseProbe {
		return nil
	}
	return f.postpone(ctx, w, now.Add(webhook.Timeout/2), webhook.Timeout)
}
