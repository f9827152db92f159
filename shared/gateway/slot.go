package gateway

import (
	"cmp"
	"context"
	"errors"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// caller says on whose behalf the provider is asked, and with that how much
// the question may take from the others'.
type caller int

const (
	// byApp: an app's GET /status. Losing it costs nothing; the table answers.
	byApp caller = iota
	// bySchedule: reconciliation, which moves the next check on.
	bySchedule
	// byProvider: a callback with the token that only the provider knows.
	byProvider
)

// maxWait is how long a question waits for its slot under the provider's
// limit: reconciliation longest, the provider's own callback as long as the
// provider waits for our answer, and an app's request hardly.
func (a caller) maxWait() time.Duration {
	switch a {
	case bySchedule:
		return 5 * time.Second
	case byProvider:
		return 700 * time.Millisecond
	}
	return 300 * time.Millisecond
}

const (
	// slotLasts is how late a slot may be used: a question delayed longer, by
	// a slow write or a paused function, would be asked in the slots of others.
	slotLasts = 100 * time.Millisecond
	// maxSlots bounds the slots taken for one question.
	maxSlots = 3
)

// appShare is how much rarer than all together one app may have live
// questions, or submissions, where the provider limits them: the others' find
// room beside them.
const appShare = 4

// limiter spaces the requests under one of a provider's limits, over all
// functions. Every 0: no limit, and no wait.
type limiter struct {
	name  string
	limit provider.Limit
}

func statusLimiter(caps provider.Capabilities) limiter {
	return limiter{caps.ID() + "#status", caps.Statuses}
}
func submitLimiter(caps provider.Capabilities) limiter {
	return limiter{caps.ID() + "#submit", caps.Submits}
}

// ofApp is an app's own limiter, a share of l.
func (l limiter) ofApp(clientID string) limiter {
	return limiter{l.name + "#" + clientID, provider.Limit{Every: l.limit.Every * appShare, Burst: l.limit.Burst / appShare}}
}

// reserve takes the next slot after from. ok is false when it is more than
// maxWait away; wait says how far.
func (g *Gateway) reserve(ctx context.Context, l limiter, from time.Time, maxWait time.Duration) (wait time.Duration, ok bool, err error) {
	return g.Ledger.ReserveSlot(ctx, l.name, l.limit.Every, l.limit.Burst, from, maxWait)
}

// waitForSlot waits for a slot under the provider's limits, which all functions
// share, and returns its time and how long reserving it took. A first try that
// was too slow for its own slot passes that time as lead, and gets a slot so far
// ahead. errPostponed: too many others are waiting; a question that must not be
// dropped is then asked later.
func (g *Gateway) waitForSlot(ctx context.Context, p ledger.Payment, who caller, caps provider.Capabilities, lead time.Duration) (slot time.Time, cost time.Duration, err error) {
	l := statusLimiter(caps)
	if who == byApp && lead == 0 {
		if _, ok, err := g.reserve(ctx, l.ofApp(p.ClientID), g.now(), 0); err != nil || !ok {
			return time.Time{}, 0, cmp.Or(err, errPostponed)
		}
	}
	started := g.now()
	from := started.Add(lead)
	wait, ok, err := g.reserve(ctx, l, from, who.maxWait())
	switch {
	case err != nil:
		return time.Time{}, 0, err
	case ok:
		now := g.now()
		slot = from.Add(wait)
		return slot, now.Sub(started), g.Sleep(ctx, slot.Sub(now))
	case who == byApp: // its schedule stands
		return time.Time{}, 0, errPostponed
	}
	return time.Time{}, 0, g.postpone(ctx, p, from.Add(wait))
}

const (
	// submitMaxWait is how long a request to pay waits for its slot, where
	// the provider limits those.
	submitMaxWait = 3 * time.Second
	// submitSlotLasts is how late that slot may be used; the limits leave
	// room for it.
	submitSlotLasts = 2 * time.Second
)

// limitSpentError: the provider's limit of submissions is spent for so long.
type limitSpentError struct{ wait time.Duration }

func (e *limitSpentError) Error() string {
	return "provider's request limit is spent for " + e.wait.Round(time.Second).String()
}

// waitForSubmitSlot waits for a slot for a request to pay and tells its time.
// *limitSpentError: there is none soon. Where the provider has no limits it asks
// for nothing. An app beyond its share takes what is free at the moment, and
// leaves half of the burst to the others.
func (g *Gateway) waitForSubmitSlot(ctx context.Context, caps provider.Capabilities, clientID string) (slot time.Time, err error) {
	l := submitLimiter(caps)
	from, maxWait := g.now(), submitMaxWait
	_, within, err := g.reserve(ctx, l.ofApp(clientID), from, 0)
	if err != nil {
		return time.Time{}, err
	}
	if !within {
		maxWait = 0
		l.limit.Burst /= 2
	}
	wait, ok, err := g.reserve(ctx, l, from, maxWait)
	switch {
	case err != nil:
		return time.Time{}, err
	case !ok:
		return time.Time{}, &limitSpentError{wait}
	}
	return from.Add(wait), g.Sleep(ctx, from.Add(wait).Sub(g.now()))
}

// postpone moves the next check to the time when the provider may be asked
// again, if it is not earlier already.
func (g *Gateway) postpone(ctx context.Context, p ledger.Payment, at time.Time) error {
	if !p.NextCheckAt.IsZero() && p.NextCheckAt.After(g.now()) && p.NextCheckAt.Before(at) {
		return errPostponed
	}
	p.NextCheckAt = ledger.Clock(at)
	if _, err := g.Ledger.ClaimCheck(ctx, p); err != nil && !errors.Is(err, ledger.ErrStale) {
		return err
	}
	return errPostponed
}
