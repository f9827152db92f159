package simulation

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// grace is how long a delivery is due before the sweeper looks at it.
const grace = 30 * time.Second

// planTick puts the next reconcile run on the agenda: on the minute, but only
// when something is due by then. A run that has nothing to do changes nothing,
// so leaving it out is the same and makes a week pass at once.
func (w *world) planTick() {
	if !w.stale {
		return
	}
	w.stale = false
	if w.tick != nil {
		w.tick.dead = true
		w.tick = nil
	}
	due, any := w.earliestDue()
	if !any {
		return
	}
	due = due.Add(-w.rates.skew) // a clock that runs ahead finds it earlier
	now := time.Now()
	if due.Before(now) {
		due = now
	}
	minute := due.Sub(w.start).Truncate(time.Minute) + time.Minute
	w.tick = w.after(w.start.Add(minute).Sub(now), "tick", w.reconcile)
	w.tick.movable = true
}

// earliestDue is when a run has something to do.
func (w *world) earliestDue() (earliest time.Time, any bool) {
	earliest, any = w.store.nextDue()
	if w.store.moved {
		w.store.moved, w.store.tendAt = false, time.Time{}
		for _, e := range w.unhealthy() {
			if at := w.tendAt(e); !at.IsZero() && (w.store.tendAt.IsZero() || at.Before(w.store.tendAt)) {
				w.store.tendAt = at
			}
		}
	}
	if at := w.store.tendAt; !at.IsZero() && (!any || at.Before(earliest)) {
		earliest, any = at, true
	}
	if at, ok := w.tokenDue(); ok && (!any || at.Before(earliest)) {
		earliest, any = at, true
	}
	return earliest, any
}

// unhealthy are the endpoints that are maintained, and those that are disabled.
func (w *world) unhealthy() []delivery.Endpoint {
	if len(w.store.unhealthy) == 0 {
		return nil
	}
	var all []delivery.Endpoint
	for _, kind := range []ledger.AttentionKind{ledger.AttentionEndpoint, ledger.AttentionDisabled} {
		found, err := w.oracle.Inbox(context.Background(), ledger.InboxQuery{Kind: kind}, ledger.Paging{Limit: 1000})
		if err != nil {
			panic(err)
		}
		for _, a := range found.Items {
			e, err := w.oracle.Endpoint(context.Background(), a.ClientID, a.Endpoint, time.Now())
			if err != nil {
				panic(err)
			}
			all = append(all, e)
		}
	}
	return all
}

// tendAt is when a run has something to do for an endpoint; zero: not until
// it changes.
func (w *world) tendAt(e delivery.Endpoint) time.Time {
	held, err := w.oracle.Inbox(context.Background(), ledger.InboxQuery{Kind: ledger.AttentionHeld, ClientID: e.ClientID, Endpoint: e.Origin}, ledger.Paging{Limit: 1})
	switch {
	case err != nil:
		panic(err)
	case e.State == delivery.EndpointOpen && len(held.Items) > 0:
		return e.ProbeAt
	case e.State == delivery.EndpointDraining && len(held.Items) > 0:
		return w.start // at once
	case e.State == delivery.EndpointDraining: // it closes, once it has been quiet
		quiet := e.ClosedAt
		if e.DrainedTo.After(quiet) {
			quiet = e.DrainedTo
		}
		return quiet.Add(15 * time.Minute)
	}
	return time.Time{}
}

// reconcile is the schedule: it may fail to come, or come twice. AWS repeats
// an invocation that failed, after a minute.
func (w *world) reconcile() {
	if w.tick != nil { // planned since this one was made to come sooner
		w.tick.dead = true
	}
	w.tick, w.stale = nil, true
	if w.chance(w.rates.tickLost) {
		w.note("  tick lost")
		return
	}
	if w.chance(w.rates.tickTwice) {
		w.anytime(w.between(0, 2*time.Second), "second tick", w.runReconciler)
	}
	w.runReconciler()
}

func (w *world) runReconciler() {
	w.invoke(reconciler, func(ctx context.Context, i *instance) {
		err := payments.Scheduled(i.sweep, i.gateway, i.refunds, i.beat)(ctx)
		if err != nil {
			w.note("  reconcile fails")
		}
		if panicked := (*host.PanicError)(nil); errors.As(err, &panicked) && !w.current.dead && !w.halted {
			w.violate(NoPanic, "%v", panicked)
		}
	})
	w.stale = true
}
