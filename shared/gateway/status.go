package gateway

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// View is a payment as its app sees it.
type View struct {
	Payment    ledger.Payment
	Deliveries []ledger.Delivery
}

// Forwarded says whether the latest event has reached the app.
func (v View) Forwarded() bool {
	n := len(v.Deliveries)
	return n > 0 && v.Deliveries[n-1].State == ledger.DeliveryDelivered
}

// Status answers for one payment of client c, asking the provider first if
// it is still open and the poll interval allows. ledger.ErrNotFound: unknown.
// ErrForbidden: another client's. When the provider cannot be asked the
// table's state is the answer.
func (g *Gateway) Status(ctx context.Context, c ledger.Client, reference string) (View, error) {
	p, deliveries, err := g.Ledger.Overview(ctx, reference)
	if err != nil {
		return View{}, err
	}
	if p.ClientID != c.ID {
		return View{}, ErrForbidden
	}
	if !p.Open() || !g.mayPoll(p) {
		return View{p, deliveries}, nil
	}
	after, err := g.poll(ctx, p, byApp, "")
	if err != nil {
		g.Log.WarnContext(ctx, "status.poll_failed", "reference", reference, "error", err.Error())
		return View{p, deliveries}, nil
	}
	return View{after, deliveries}, nil
}

// mayPoll keeps the provider's least interval between two questions about
// one payment, and leaves a request that is still submitting alone.
func (g *Gateway) mayPoll(p ledger.Payment) bool {
	prov, ok := g.provider(p.Provider)
	if !ok {
		return false
	}
	now := g.now()
	if p.Phase == payment.PhaseSubmitting && now.Before(p.SubmitDeadline) {
		return false
	}
	return p.CheckedAt.IsZero() || now.Sub(p.CheckedAt) >= prov.Capabilities().MinPollInterval
}

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
		return time.Second
	case byAnybody:
		return 0
	}
	return 300 * time.Millisecond
}

// errPutOff: the provider's request limit is spent for now; the schedule
// asks later.
var errPutOff = errors.New("provider's request limit reached; check put off")

// poll asks the provider about p and takes the answer to its end. A claim
// written first makes one asker out of many, over all functions: the losers
// answer from the table. claimed is the ending that the callback
// which led to it claims, if any.
func (g *Gateway) poll(ctx context.Context, p ledger.Payment, who asker, claimed payment.Status) (ledger.Payment, error) {
	prov, ok := g.provider(p.Provider)
	if !ok {
		return p, errors.New("provider " + p.Provider + " is not configured")
	}
	caps := prov.Capabilities()
	// The token first: fetching one can take longer than a turn lasts. If
	// there is none, Status says so.
	_ = prov.Ready(ctx)
	turn, err := g.takeTurn(ctx, p, who, caps)
	if err != nil {
		return p, err
	}
	if who != byProvider {
		// A callback of the provider's own needs no claim: its question must
		// be asked even while another is under way, which the provider may
		// have answered before the news.
		now := g.now()
		claim := p
		claim.Checks++
		claim.CheckedAt = now
		if who == bySchedule {
			claim.NextCheckAt = caps.Policy.NextCheck(claim.Payment, now)
		}
		claimed, err := g.Ledger.ClaimCheck(ctx, claim)
		if errors.Is(err, ledger.ErrMoved) {
			return g.Ledger.Payment(ctx, p.Reference)
		}
		if err != nil {
			return p, err
		}
		p = claimed
	}
	for tries := 1; g.now().Sub(turn) > turnLasts; tries++ {
		if tries == maxTurns {
			return p, g.putOff(ctx, p, g.now())
		}
		if turn, err = g.takeTurn(ctx, p, who, caps); err != nil {
			return p, err
		}
	}
	told := prov.Status(ctx, p.Payment)
	g.noteAnswered(ctx, prov, told)
	told.Evidence.Source, told.Evidence.At = payment.FromStatus, g.now()
	return g.settle(ctx, p, news{
		evidence: told.Evidence,
		claimed:  claimed,
		audit: func(after payment.Payment, anomaly payment.Anomaly) []ledger.AuditRecord {
			return pollRecords(after, told, anomaly)
		},
	})
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
// share, and tells its time. errPutOff: too many others are waiting; a question that must not be
// dropped has then been put off, not lost.
func (g *Gateway) takeTurn(ctx context.Context, p ledger.Payment, who asker, caps provider.Capabilities) (turn time.Time, err error) {
	line := caps.Name + "#status"
	if who == byApp && caps.StatusSpacing > 0 {
		_, ok, err := g.Ledger.ReserveSlot(ctx, line+"#"+p.ClientID, appSpacing, g.now(), 0)
		if err != nil {
			return time.Time{}, err
		}
		if !ok {
			return time.Time{}, errPutOff
		}
	}
	now := g.now()
	wait, ok, err := g.Ledger.ReserveSlot(ctx, line, caps.StatusSpacing, now, who.patience())
	switch {
	case err != nil:
		return time.Time{}, err
	case ok:
		turn = now.Add(wait)
		return turn, g.Sleep(ctx, turn.Sub(g.now()))
	case who == byApp:
		return time.Time{}, errPutOff
	}
	return time.Time{}, g.putOff(ctx, p, now.Add(wait))
}

func pollRecords(after payment.Payment, told provider.Answer, anomaly payment.Anomaly) []ledger.AuditRecord {
	exchanges := told.Exchanges
	if len(exchanges) == 0 {
		// Not asked after all (no token). The payment may end by our clock
		// all the same, and an ending is never without a record of why.
		exchanges = []provider.Exchange{{Method: "GET", Started: told.Evidence.At, Err: "not asked: " + told.Evidence.Reason}}
	}
	return exchangeRecords(after, exchanges, string(anomaly))
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
