package gateway

import (
	"cmp"
	"context"
	"errors"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// asker says on whose behalf the provider is asked, and with that how much
// the question may take from the others'.
type asker int

const (
	// byApp: an app's GET /status. Losing it costs nothing; the table answers.
	byApp asker = iota
	// bySchedule: reconciliation, which moves the next check on.
	bySchedule
	// byProvider: a callback with the token that only the provider knows.
	byProvider
)

// patience is how long a question waits for its slot under the provider's
// limit: reconciliation longest, the provider's own callback as long as the
// provider waits for our answer, and an app's request hardly.
func (a asker) patience() time.Duration {
	switch a {
	case bySchedule:
		return 5 * time.Second
	case byProvider:
		return 700 * time.Millisecond
	}
	return 300 * time.Millisecond
}

const (
	// turnLasts is how late a turn may be used: a question held up longer,
	// by a slow write or a paused function, would be asked within the turns
	// of others.
	turnLasts = 100 * time.Millisecond
	// maxTurns bounds the turns taken for one question.
	maxTurns = 3
)

// appShare is how much rarer than all together one app may have live
// questions, or submissions, where the provider limits them: the others' find
// room beside them.
const appShare = 4

// line is a queue before one of a provider's limits. All functions stand in
// the same one. Every 0: no limit, and nobody waits.
type line struct {
	name  string
	limit provider.Limit
}

func statusLine(caps provider.Capabilities) line { return line{caps.Name + "#status", caps.Statuses} }
func submitLine(caps provider.Capabilities) line { return line{caps.Name + "#submit", caps.Submits} }

// ofApp is an app's own line before l, a share of it.
func (l line) ofApp(clientID string) line {
	return line{l.name + "#" + clientID, provider.Limit{Every: l.limit.Every * appShare, Burst: l.limit.Burst / appShare}}
}

// reserve takes a slot in a line, seen from a time. ok is false when it is
// further off than patience; wait says how far.
func (g *Gateway) reserve(ctx context.Context, l line, from time.Time, patience time.Duration) (wait time.Duration, ok bool, err error) {
	return g.Ledger.ReserveSlot(ctx, l.name, l.limit.Every, l.limit.Burst, from, patience)
}

// takeTurn waits for a slot under the provider's limits, which all functions
// share, and tells its time and what reserving it cost. A first try that was
// too slow for its own turn gives that cost as lead, and gets a turn so far
// ahead. errPutOff: too many others are waiting; a question that must not be
// dropped has then been put off, not lost.
func (g *Gateway) takeTurn(ctx context.Context, p ledger.Payment, who asker, caps provider.Capabilities, lead time.Duration) (turn time.Time, cost time.Duration, err error) {
	l := statusLine(caps)
	if who == byApp && lead == 0 {
		if _, ok, err := g.reserve(ctx, l.ofApp(p.ClientID), g.now(), 0); err != nil || !ok {
			return time.Time{}, 0, cmp.Or(err, errPutOff)
		}
	}
	started := g.now()
	from := started.Add(lead)
	wait, ok, err := g.reserve(ctx, l, from, who.patience())
	switch {
	case err != nil:
		return time.Time{}, 0, err
	case ok:
		now := g.now()
		turn = from.Add(wait)
		return turn, now.Sub(started), g.Sleep(ctx, turn.Sub(now))
	case who == byApp: // its schedule stands
		return time.Time{}, 0, errPutOff
	}
	return time.Time{}, 0, g.putOff(ctx, p, from.Add(wait))
}

const (
	// submitPatience is how long a request to pay waits for its turn, where
	// the provider limits those.
	submitPatience = 3 * time.Second
	// submitTurnLasts is how late that turn may be used; the limits leave
	// room for it.
	submitTurnLasts = 2 * time.Second
)

// noTurnError: the provider's limit of submissions is spent for so long.
type noTurnError struct{ wait time.Duration }

func (e *noTurnError) Error() string {
	return "provider's request limit is spent for " + e.wait.Round(time.Second).String()
}

// takeSubmitTurn waits for a slot for a request to pay and tells its time.
// *noTurnError: there is none soon. Where the provider has no limits it asks
// for nothing. An app beyond its share takes what is free at the moment, and
// leaves half of the burst to the others.
func (g *Gateway) takeSubmitTurn(ctx context.Context, caps provider.Capabilities, clientID string) (turn time.Time, err error) {
	l := submitLine(caps)
	from, patience := g.now(), submitPatience
	_, within, err := g.reserve(ctx, l.ofApp(clientID), from, 0)
	if err != nil {
		return time.Time{}, err
	}
	if !within {
		patience = 0
		l.limit.Burst /= 2
	}
	wait, ok, err := g.reserve(ctx, l, from, patience)
	switch {
	case err != nil:
		return time.Time{}, err
	case !ok:
		return time.Time{}, &noTurnError{wait}
	}
	return from.Add(wait), g.Sleep(ctx, from.Add(wait).Sub(g.now()))
}

// putOff moves the next check to the time when the provider may be asked
// again, if it is not earlier already.
func (g *Gateway) putOff(ctx context.Context, p ledger.Payment, at time.Time) error {
	if !p.NextCheckAt.IsZero() && p.NextCheckAt.After(g.now()) && p.NextCheckAt.Before(at) {
		return errPutOff
	}
	p.NextCheckAt = ledger.Clock(at)
	if _, err := g.Ledger.ClaimCheck(ctx, p); err != nil && !errors.Is(err, ledger.ErrMoved) {
		return err
	}
	return errPutOff
}
