package forwarder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// pass says whether an attempt may be made at the event's endpoint now. If not,
// the event is held, or what was asked for is refused, and that is written.
func (f *Forwarder) pass(ctx context.Context, w work, now time.Time) (bool, error) {
	if w.cause == delivery.CauseManual {
		e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, w.origin(), now)
		switch {
		case err != nil:
			return false, err
		case e.State != delivery.EndpointDisabled && e.Unresponsive(now):
			return false, f.postpone(ctx, w, e.UnresponsiveUntil(), spreadAfter)
		case e.State != delivery.EndpointDisabled:
			return true, nil // a person asked: an open circuit does not count
		}
		f.Log.WarnContext(ctx, "delivery.resend_refused", "event", w.d.EventID, "reason", "endpoint is disabled")
		_, err = f.save(ctx, w.d.Cancel())
		return false, err
	}
	ok, err := f.passAt(ctx, w, w.origin(), now)
	if err != nil || !ok {
		return false, err
	}
	e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, w.origin(), now)
	if err != nil || !e.Unresponsive(now) {
		return err == nil, err
	}
	return false, f.postpone(ctx, w, e.UnresponsiveUntil(), spreadAfter)
}

// spreadAfter lies between the first and the last event to come back when a
// unresponsive endpoint is tried again.
const spreadAfter = 2 * time.Second

// postpone leaves an attempt for when it is known whether its endpoint hangs:
// until then, or at most apart later. It costs the event nothing of its
// schedule, and what was asked for by hand is still made.
func (f *Forwarder) postpone(ctx context.Context, w work, until time.Time, apart time.Duration) error {
	at := ledger.Clock(until.Add(time.Duration(float64(apart) * f.Jitter())))
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

// stallAfter is how long an attempt may be unanswered before it is reported
// against its endpoint. It fails only at webhook.Timeout, and until then it
// occupies a batch. Few batches run at once: one app's unanswered attempts must
// not occupy them all.
const stallAfter = time.Second

// watch reports an attempt that is unanswered for stallAfter, and counts it
// against its client unless it is counted already. The caller calls stop when
// the attempt has ended; it returns when nothing more is reported.
func (f *Forwarder) watch(ctx context.Context, w work, counted bool) (stop func()) {
	cancel := f.AfterFunc(stallAfter, func() {
		err := host.Protect(func() error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			f.report(ctx, w, delivery.SignalStall)
			if !counted {
				counted = f.count(ctx, w, 1)
			}
			return nil
		})
		if err != nil { // the attempt goes on
			f.Log.ErrorContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", w.origin(), "error", err.Error())
		}
	})
	return func() {
		cancel()
		if counted {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			f.release(ctx, w)
		}
	}
}

// changes is how often an endpoint may change while one event is decided on,
// before the event is left to come again.
const changes = 4

var errRestless = errors.New("endpoint keeps changing")

// passAt holds the event if the endpoint is blocked.
func (f *Forwarder) passAt(ctx context.Context, w work, origin string, now time.Time) (bool, error) {
	for range changes {
		e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, origin, now)
		if err != nil || !e.Blocked() {
			return err == nil, err
		}
		err = f.Ledger.HoldDelivery(ctx, w.d, e)
		switch {
		case errors.Is(err, ledger.ErrEndpointStale):
			continue // it may have come back
		case errors.Is(err, ledger.ErrStale):
			return false, nil
		case err == nil:
			f.logHeld(ctx, w.d, w.d.HoldFor(e).HeldReason)
		}
		return false, err
	}
	return false, errRestless
}

// probe makes an attempt with a held event if the sweeper has chosen it. The
// choice is taken back before the attempt, so that a doorbell that rings twice
// makes one probe.
func (f *Forwarder) probe(ctx context.Context, w work, now time.Time) error {
	e, err := f.Ledger.FreshEndpoint(ctx, w.d.ClientID, w.d.Endpoint, now)
	if err != nil || e.State != delivery.EndpointOpen || e.Probing != w.d.EventID {
		return err
	}
	ok, err := f.address(ctx, &w, now)
	if err != nil || !ok || w.origin() != e.Origin {
		return err // the sweeper lets go what has moved elsewhere
	}
	e.Probing = ""
	if _, err := f.Ledger.SaveEndpoint(ctx, e, now); errors.Is(err, ledger.ErrStale) {
		return nil
	} else if err != nil {
		return err
	}
	return f.claimAndAttempt(ctx, w, now)
}

// report tells the endpoint's breaker of an attempt. An endpoint that is well
// costs no write. A report that is lost costs no event: the next attempt
// makes one too.
func (f *Forwarder) report(ctx context.Context, w work, s delivery.Signal) {
	now := ledger.Clock(f.Now())
	read := f.Ledger.RecentEndpoint
	for range changes {
		e, err := read(ctx, w.d.ClientID, w.origin(), now)
		if err != nil {
			f.Log.WarnContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", w.origin(), "error", err.Error())
			return
		}
		after, told := e.Observe(s, w.cause, w.d.EventID, now)
		if after == e {
			return
		}
		_, err = f.Ledger.SaveEndpoint(ctx, after, now)
		switch {
		case errors.Is(err, ledger.ErrStale):
			read = f.Ledger.FreshEndpoint
			continue
		case err != nil:
			f.Log.WarnContext(ctx, "endpoint.report_lost", "client", e.ClientID, "endpoint", e.Origin, "error", err.Error())
			return
		}
		tell(ctx, f.Log, after, told)
		return
	}
	f.Log.WarnContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", w.origin(), "error", errRestless.Error())
}

// tell logs what an operator should know about an endpoint.
func tell(ctx context.Context, log *slog.Logger, e delivery.Endpoint, told []delivery.Notice) {
	for _, n := range told {
		level := slog.LevelWarn
		switch n {
		case delivery.NoticeDisabled:
			level = slog.LevelError
		case delivery.NoticeRecovered:
			level = slog.LevelInfo
		}
		log.Log(ctx, level, string(n), "client", e.ClientID, "endpoint", e.Origin, "state", e.State, "failures", e.Failures,
			"failing_since", e.FailingSince, "percent", e.NotifiedPercent, "reason", e.DisabledReason)
	}
}
