package gateway

import (
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
	// byAnybody: a callback without one.
	byAnybody
)

// patience is how long a question waits for its slot under the provider's
// limit: reconciliation longest, the provider's own callback as long as the
// provider waits for our answer, an app's request hardly, and a callback that
// anybody may have sent not at all.
func (a asker) patience() time.Duration {
	switch a {
	case bySchedule:
		return 5 * time.Second
	case byProvider:
		return 700 * time.Millisecond
	case byAnybody:
		return 0
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

// appSpacing keeps an app's own GET /status to so many live questions that
// the others' find room beside them.
const appSpacing = 500 * time.Millisecond

// takeTurn waits for a slot under the provider's limit, which all functions
// share, and tells its time and what reserving it cost. A first try that was
// too slow for its own turn gives that cost as lead, and gets a turn so far
// ahead. errPutOff: too many others are waiting; a question that must not be
// dropped has then been put off, not lost.
func (g *Gateway) takeTurn(ctx context.Context, p ledger.Payment, who asker, caps provider.Capabilities, lead time.Duration) (turn time.Time, cost time.Duration, err error) {
	line := caps.Name + "#status"
	if who == byApp && caps.StatusSpacing > 0 && lead == 0 {
		_, ok, err := g.Ledger.ReserveSlot(ctx, line+"#"+p.ClientID, appSpacing, g.now(), 0)
		if err != nil {
			return time.Time{}, 0, err
		}
		if !ok {
			return time.Time{}, 0, errPutOff
		}
	}
	started := g.now()
	from := started.Add(lead)
	wait, ok, err := g.Ledger.ReserveSlot(ctx, line, caps.StatusSpacing, from, who.patience())
	switch {
	case err != nil:
		return time.Time{}, 0, err
	case ok:
		now := g.now()
		turn = from.Add(wait)
		return turn, now.Sub(started), g.Sleep(ctx, turn.Sub(now))
	case who == byApp, who == byAnybody:
		// Its schedule stands. Moving that for whoever sends callbacks would
		// let them fill the line that others wait in.
		return time.Time{}, 0, errPutOff
	}
	return time.Time{}, 0, g.putOff(ctx, p, from.Add(wait))
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
