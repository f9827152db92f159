package gateway

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// maxSlots bounds the slots taken for one question.
const maxSlots = 3

var (
	// ErrPostponed: the provider's request limit, or the least interval between
	// two questions about this payment, does not allow one now; the schedule
	// asks later.
	ErrPostponed = errors.New("provider's request limit reached; check postponed")
	// ErrUnanswered: the provider was asked and said nothing usable. The
	// payment returned with it stands; the schedule asks again.
	ErrUnanswered = errors.New("provider gave no usable answer")
)

// trigger is why a question is asked.
type trigger struct {
	who     guard.Caller
	claimed payment.Status // by a callback: the ending; empty: none, or not worth it
	raw     []byte         // its body, if only the provider can have sent it
	// records are audited with what comes of the question.
	records []ledger.AuditRecord
}

// poll asks the provider about p and takes the answer to its end. A claim
// written first makes one caller out of many, over all functions: the losers
// answer from the table. asked says that the provider was asked and the answer
// is stored, with all audit records.
func (g *Gateway) poll(ctx context.Context, p ledger.Payment, why trigger) (after ledger.Payment, asked bool, err error) {
	prov, ok := g.account(p.Payment)
	if !ok {
		return p, false, g.missingAccount(ctx, p)
	}
	method := prov.Capabilities().Method(p.Method)
	if (why.who == guard.BySchedule || method.Strict || !p.Open()) && !p.CheckedAt.IsZero() && recent(g.now(), p.CheckedAt, spacing(method)) {
		return p, false, g.deferCheck(ctx, p, why, method)
	}
	most, reserve := submitBudget, statusReserve
	switch why.who {
	case guard.BySchedule:
		reserve = 0 // a run has its own margin
	case guard.ByProvider:
		most = callbackBudget
	}
	whole := ctx
	ctx, cancel := within(whole, most, reserve)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return p, false, err // no time left to ask and to write down what comes of it
	}
	// The token first: fetching one can take longer than a slot lasts. If
	// there is none, Status says so.
	_ = prov.Ready(ctx)
	if ctx.Err() != nil && why.who == guard.ByProvider {
		// The token took all the time there was. What has ended has no other
		// check to come.
		return p, false, g.deferCheck(whole, p, why, method)
	}
	p, err = g.acquire(ctx, prov, p, why, method)
	if errors.Is(err, ledger.ErrStale) {
		fresh, err := g.Ledger.Payment(ctx, p.Reference)
		if err == nil && why.who == guard.ByProvider {
			// Somebody else's question is under way, which the provider may
			// have answered before the callback's ending.
			err = g.deferCheck(ctx, fresh, why, method)
		}
		return fresh, false, err
	}
	if err != nil {
		return p, false, err
	}
	result := prov.Status(ctx, p.Payment)
	if result.AskAgain && !method.Strict {
		result = prov.AskAgain(ctx, p.Payment, why.who, result)
	}
	result.Evidence.Source, result.Evidence.At = payment.FromStatus, g.now()
	g.logAsked(ctx, p, "status", result)
	g.reportAccountFault(ctx, p, result)
	exchanges := result.Exchanges
	if len(exchanges) == 0 {
		// Not asked after all (no token). The payment may end by our clock
		// all the same, and an ending is never without a record of why.
		exchanges = []provider.Exchange{{Method: "GET", Started: result.Evidence.At, Err: NoteNotAsked + ": " + result.Evidence.Reason}}
	}
	after, err = g.applyEvidence(ctx, p, update{
		evidence: result.Evidence, exchanges: exchanges, records: why.records, claimed: why.claimed, raw: why.raw,
	})
	asked = err == nil
	if err == nil && result.Evidence.Verdict == payment.SaysNothing {
		g.Log.WarnContext(ctx, "provider.unanswered", "provider", p.Provider, "reference", p.Reference, "code", result.Evidence.Code, "error", lastError(result))
		err = ErrUnanswered
	}
	return after, asked, err
}

// deferCheck puts a question off for the method's interval. The ending that a
// callback claimed is remembered.
func (g *Gateway) deferCheck(ctx context.Context, p ledger.Payment, why trigger, method provider.Method) error {
	if why.claimed != "" {
		hinted, _ := payment.Hinted(p.Payment, why.claimed, g.now(), method.Policy)
		p.HintedAt = hinted.HintedAt
	}
	return g.postpone(ctx, p, p.CheckedAt.Add(spacing(method)))
}

// acquire waits for a slot and writes the claim. Both are fresh when it
// returns. The payment is as claimed. ledger.ErrStale: somebody
// else is asking, or the payment has gone on.
func (g *Gateway) acquire(ctx context.Context, prov *guard.Guard, p ledger.Payment, why trigger, method provider.Method) (ledger.Payment, error) {
	// A callback of the provider's own needs no claim: its question must be
	// asked even while another is under way. A strict provider takes no second
	// one so soon, and neither does an ended payment need it.
	claims := why.who != guard.ByProvider || method.Strict || !p.Open()
	var slot guard.Slot
	for tries := 0; ; tries++ {
		stale := slot.Stale(g.now())
		// The next question counts its interval from this claim.
		unclaimed := claims && (tries == 0 || method.Strict && g.now().Sub(p.CheckedAt) > claimLasts)
		switch {
		case !stale && !unclaimed:
			return p, nil
		case tries == maxSlots:
			g.Log.ErrorContext(ctx, "provider.slot_lost", "provider", p.AccountID(), "reference", p.Reference)
			return p, g.postpone(ctx, p, g.now())
		}
		var err error
		if stale {
			if slot, err = prov.WaitToAsk(ctx, p.ClientID, why.who, slot); err != nil {
				return p, g.notNow(ctx, p, why.who, err)
			}
		}
		if unclaimed {
			now, claim := g.now(), p
			claim.Checks++
			claim.CheckedAt = now
			if why.who == guard.BySchedule {
				claim.NextCheckAt = method.Policy.NextCheck(claim.Payment, now)
			}
			if claim, err = g.Ledger.ClaimCheck(ctx, claim); err != nil {
				return p, err
			}
			p = claim
		}
	}
}

// notNow postpones a question that the guard refused and that must not be
// dropped. An app's is: its schedule stands.
func (g *Gateway) notNow(ctx context.Context, p ledger.Payment, who guard.Caller, err error) error {
	var refusal *guard.Refusal
	switch {
	case !errors.As(err, &refusal):
		return err
	case who == guard.ByApp:
		return ErrPostponed
	}
	return g.postpone(ctx, p, g.now().Add(refusal.RetryAfter))
}

// postpone moves the next check to the time when the provider may be asked
// again, if it is not earlier already.
func (g *Gateway) postpone(ctx context.Context, p ledger.Payment, at time.Time) error {
	if !p.NextCheckAt.IsZero() && p.NextCheckAt.After(g.now()) && p.NextCheckAt.Before(at) {
		return ErrPostponed
	}
	p.NextCheckAt = ledger.Clock(at)
	if _, err := g.Ledger.ClaimCheck(ctx, p); err != nil && !errors.Is(err, ledger.ErrStale) {
		return err
	}
	return ErrPostponed
}

// claimLasts is how late a claim may be used where the provider demands an
// interval between two questions: the next one counts it from the claim.
const claimLasts = time.Second

// spacing is the least time between the claims of two questions about one
// payment, such that the questions themselves keep the method's interval.
func spacing(m provider.Method) time.Duration {
	if m.Strict {
		return m.MinPollInterval + claimLasts
	}
	return m.MinPollInterval
}

// NoteNotAsked begins the note of a question that was due and not asked.
const NoteNotAsked = "not asked"

func lastError(result provider.Answer) string {
	if n := len(result.Exchanges); n > 0 {
		return result.Exchanges[n-1].Err
	}
	return NoteNotAsked
}
