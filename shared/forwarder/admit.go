package forwarder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

// pass says whether an attempt may be made at the event's endpoint now. If not,
// the event is held, or what was asked for is refused, and that is written.
func (f *Forwarder) pass(ctx context.Context, w work, now time.Time) (bool, error) {
	if w.cause != delivery.CauseManual {
		return f.passAt(ctx, w, w.origin(), now)
	}
	e, err := f.Ledger.RecentEndpoint(ctx, w.d.ClientID, w.origin(), now)
	if err != nil || e.State != delivery.EndpointDisabled {
		return err == nil, err // a person requested it: an open circuit does not count
	}
	f.Log.WarnContext(ctx, "delivery.resend_refused", "event", w.d.EventID, "reason", "endpoint is disabled")
	_, err = f.save(ctx, w.d.Cancel())
	return false, err
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
	e, err := f.Ledger.Endpoint(ctx, w.d.ClientID, w.d.Endpoint, now)
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
		after, notices := e.Observe(s, w.cause, w.d.EventID, now)
		if after == e {
			return
		}
		_, err = f.Ledger.SaveEndpoint(ctx, after, now)
		switch {
		case errors.Is(err, ledger.ErrStale):
			read = f.Ledger.Endpoint
			continue
		case err != nil:
			f.Log.WarnContext(ctx, "endpoint.report_lost", "client", e.ClientID, "endpoint", e.Origin, "error", err.Error())
			return
		}
		notify(ctx, f.Log, after, notices)
		return
	}
	f.Log.WarnContext(ctx, "endpoint.report_lost", "client", w.d.ClientID, "endpoint", w.origin(), "error", errRestless.Error())
}

// notify logs what an operator should know about an endpoint.
func notify(ctx context.Context, log *slog.Logger, e delivery.Endpoint, notices []delivery.Notice) {
	for _, n := range notices {
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
