package forwarder

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

// countAfter is how long an attempt may be unanswered before it is counted
// against its client. Few batches run at once: one app's unanswered attempts
// must not occupy them all.
const countAfter = time.Second

// acquire counts an attempt that is about to begin, if its client is limited.
// ok: it may begin. release takes one that was counted back.
func (f *Forwarder) acquire(ctx context.Context, w work, now time.Time) (counted, ok bool, err error) {
	e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	for range changes {
		if err != nil || !e.InFlight.Limited(now) {
			return false, err == nil, err
		}
		if e.InFlight, ok = e.InFlight.Begin(now); !ok {
			return false, false, nil
		}
		if _, err = f.Ledger.SaveEndpoint(ctx, e, now); !errors.Is(err, ledger.ErrStale) {
			return err == nil, err == nil, err
		}
		e, err = f.Ledger.Endpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
	}
	return false, false, err // others were faster all the time: it is over its limit
}

// watch counts an attempt once it is unanswered for countAfter, unless it is
// counted already. The caller calls stop when the attempt has ended; nothing is
// counted after it returns.
func (f *Forwarder) watch(ctx context.Context, w work, counted bool) (stop func(answered bool)) {
	cancel := f.AfterFunc(countAfter, func() {
		err := host.Protect(func() error {
			if !counted {
				counted = f.count(ctx, w, func(n delivery.InFlight, now time.Time) delivery.InFlight {
					n, _ = n.Begin(now)
					return n
				})
			}
			return nil
		})
		if err != nil { // the attempt goes on
			f.Log.ErrorContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", w.origin(), "error", err.Error())
		}
	})
	return func(answered bool) {
		cancel()
		if counted {
			f.release(context.WithoutCancel(ctx), w, answered)
		}
	}
}

// release takes a counted attempt back.
func (f *Forwarder) release(ctx context.Context, w work, answered bool) {
	f.count(ctx, w, func(n delivery.InFlight, now time.Time) delivery.InFlight { return n.End(answered, now) })
}

// count changes the count of a client's attempts, and says whether it did. A
// count that is lost is forgotten in time.
func (f *Forwarder) count(ctx context.Context, w work, change func(delivery.InFlight, time.Time) delivery.InFlight) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for range 2 * changes {
		now := ledger.Clock(f.Now())
		e, err := f.Ledger.Endpoint(ctx, w.d.ClientID, delivery.AllEndpoints, now)
		if err != nil {
			break
		}
		e.InFlight = change(e.InFlight, now)
		if _, err = f.Ledger.SaveEndpoint(ctx, e, now); err == nil {
			return true
		} else if !errors.Is(err, ledger.ErrStale) {
			break
		}
	}
	f.Log.WarnContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", delivery.AllEndpoints)
	return false
}

// overLimit postpones an attempt for which there is no room: by five to fifteen
// seconds. That uses up nothing of its schedule, and a requested attempt is still
// made. A probe is left to the sweeper, which makes another.
func (f *Forwarder) overLimit(ctx context.Context, w work, now time.Time) error {
	if w.cause == delivery.CauseProbe {
		return nil
	}
	at := ledger.Clock(now.Add(webhook.Timeout/2 + time.Duration(float64(webhook.Timeout)*f.Jitter())))
	d, err := f.Ledger.SaveDelivery(ctx, w.d.Postpone(at))
	if errors.Is(err, ledger.ErrStale) {
		return nil
	}
	if err != nil {
		return err
	}
	f.Log.InfoContext(ctx, "delivery.postponed", "reference", d.Reference, "client", d.ClientID, "event", d.EventID,
		"endpoint", w.origin(), "cause", w.cause, "next_attempt_at", at)
	return f.ring(ctx, d)
}
