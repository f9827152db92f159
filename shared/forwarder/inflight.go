package forwarder

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// The in-flight limiter of a client. An unanswered attempt keeps its batch, and
// an app may have any number of endpoints, or be asked for old events by hand:
// no endpoint's own breaker bounds its unanswered attempts in all. So they are
// counted together. When maxInFlight are unanswered at once, the client is
// limited: until its count has been below that for limitedFor, each attempt is
// counted before it begins, and one over the limit is postponed. What began in
// the second or so before that comes on top.
//
// The count is in a record like an endpoint's (delivery.AllEndpoints), whose
// Stalled is the count, StalledAt when it last grew and OpenedAt when it was
// last full. A count that a dead worker left behind is forgotten when no
// attempt can be unanswered any more.
const (
	maxInFlight = 8
	limitedFor  = time.Minute
)

func limited(e delivery.Endpoint, now time.Time) bool {
	since := now.Sub(e.OpenedAt)
	return !e.OpenedAt.IsZero() && since >= 0 && since < limitedFor
}

// oneMore is the count with one attempt more, and whether there was room.
func oneMore(e delivery.Endpoint, now time.Time) (after delivery.Endpoint, room bool) {
	if now.Before(e.StalledAt) || !now.Before(e.UnresponsiveUntil()) {
		e.Stalled = 0
	}
	room = e.Stalled < maxInFlight
	e.Stalled++
	e.StalledAt = now
	if e.Stalled >= maxInFlight {
		e.OpenedAt = now
	}
	return e, room
}

// acquire counts an attempt that is about to begin, if its client is limited.
// ok: it may begin. release takes one that was counted back.
func (f *Forwarder) acquire(ctx context.Context, w work, now time.Time) (counted, ok bool, err error) {
	e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	for range changes {
		if err != nil || !limited(e, now) {
			return false, err == nil, err
		}
		after, room := oneMore(e, now)
		if !room {
			return false, false, nil
		}
		if _, err = f.Ledger.SaveEndpoint(ctx, after, now); !errors.Is(err, ledger.ErrStale) {
			return err == nil, err == nil, err
		}
		e, err = f.Ledger.FreshEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	}
	return false, false, err // others were faster all the time: it is over its limit
}

// release takes a counted attempt back.
func (f *Forwarder) release(ctx context.Context, w work) { f.count(ctx, w, -1) }

// count adds an attempt that is unanswered (1), or takes one back that has
// ended (-1), and says whether it did. What is lost is forgotten in time.
func (f *Forwarder) count(ctx context.Context, w work, by int) bool {
	for range 2 * changes {
		now := ledger.Clock(f.Now())
		e, err := f.Ledger.FreshEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
		if err != nil {
			break
		}
		if by > 0 {
			e, _ = oneMore(e, now)
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

// overLimit postpones an attempt for which there is no room. A probe is left to
// the sweeper, which makes another.
func (f *Forwarder) overLimit(ctx context.Context, w work, now time.Time) error {
	if w.cause == delivery.CauseProbe {
		return nil
	}
	return f.postpone(ctx, w, now.Add(webhook.Timeout/2), webhook.Timeout)
}
