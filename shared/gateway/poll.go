package gateway

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// errPostponed: the provider's request limit is spent for now; the schedule
// asks later.
var errPostponed = errors.New("provider's request limit reached; check put off")

// errUnanswered: the provider was asked and said nothing usable. The payment
// returned with it stands; the schedule asks again.
var errUnanswered = errors.New("provider gave no usable answer")

// trigger is why a question is asked.
type trigger struct {
	who     caller
	claimed payment.Status // by a callback: the ending; empty: none, or not worth it
	raw     []byte         // its body, if only the provider can have sent it
	// record is the callback's audit record, to be written with what comes of
	// the question; nil: none.
	record *ledger.AuditRecord
	// alone, of a reconcile run: one of its workers at a time waits for a
	// slot: together they would take the slots before everybody else.
	alone host.Lock
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
	if (why.who == bySchedule || method.Strict || !p.Open()) && !p.CheckedAt.IsZero() && recent(g.now(), p.CheckedAt, spacing(method)) {
		return p, false, g.deferCheck(ctx, p, why, method)
	}
	most, reserve := submitBudget, statusReserve
	switch why.who {
	case bySchedule:
		reserve = 0 // a run has its own margin
	case byProvider:
		most = callbackBudget
	}
	ctx, cancel := within(ctx, most, reserve)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return p, false, err // no time left to ask and to write down what comes of it
	}
	// The token first: fetching one can take longer than a slot lasts. If
	// there is none, Status says so.
	_ = prov.Ready(ctx)
	p, err = g.acquire(ctx, p, why, prov.Capabilities(), method)
	if errors.Is(err, ledger.ErrStale) {
		fresh, err := g.Ledger.Payment(ctx, p.Reference)
		if err == nil && why.who == byProvider {
			// Somebody else's question is under way, which the provider may
			// have answered before the callback's ending.
			err = g.deferCheck(ctx, fresh, why, method)
		}
		return fresh, false, err
	}
	if err != nil {
		return p, false, err
	}
	told := prov.Status(ctx, p.Payment)
	if told.AskAgain && !method.Strict {
		told = g.askAgain(ctx, prov, p, why.who, told)
	}
	told.Evidence.Source, told.Evidence.At = payment.FromStatus, g.now()
	g.logAsked(ctx, p, "status", told)
	g.reportAccountFault(ctx, p, told)
	after, err = g.applyEvidence(ctx, p, update{
		evidence: told.Evidence,
		claimed:  why.claimed,
		raw:      why.raw,
		audit: func(after payment.Payment, anomaly payment.Anomaly) []ledger.AuditRecord {
			records := pollRecords(after, told, anomaly)
			if why.record != nil {
				return append([]ledger.AuditRecord{*why.record}, records...)
			}
			return records
		},
	})
	asked = err == nil
	if err == nil && told.Evidence.Verdict == payment.SaysNothing {
		g.Log.WarnContext(ctx, "provider.unanswered", "provider", p.Provider, "reference", p.Reference, "code", told.Evidence.Code, "error", lastError(told))
		err = errUnanswered
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
func (g *Gateway) acquire(ctx context.Context, p ledger.Payment, why trigger, caps provider.Capabilities, method provider.Method) (ledger.Payment, error) {
	// A callback of the provider's own needs no claim: its question must be
	// asked even while another is under way. A strict provider takes no second
	// one so soon, and neither does an ended payment need it.
	claims := why.who != byProvider || method.Strict || !p.Open()
	var slot time.Time
	var cost time.Duration
	for tries := 0; ; tries++ {
		stale := g.now().Sub(slot) > slotLasts
		// The next question counts its interval from this claim.
		unclaimed := claims && (tries == 0 || method.Strict && g.now().Sub(p.CheckedAt) > claimLasts)
		switch {
		case !stale && !unclaimed:
			return p, nil
		case tries == maxSlots:
			g.Log.ErrorContext(ctx, "provider.turn_lost", "provider", caps.Name, "reference", p.Reference, "turn_cost_ms", cost.Milliseconds())
			return p, g.postpone(ctx, p, g.now())
		}
		var err error
		if stale {
			if slot, cost, err = g.waitForSlotAlone(ctx, p, why, caps, cost); err != nil {
				return p, err
			}
		}
		if unclaimed {
			claimed, err := g.claim(ctx, p, why.who, method)
			if err != nil {
				return p, err
			}
			p = claimed
		}
	}
}

// waitForSlotAlone waits as one of a run's workers, one at a time, or simply waits.
func (g *Gateway) waitForSlotAlone(ctx context.Context, p ledger.Payment, why trigger, caps provider.Capabilities, lead time.Duration) (time.Time, time.Duration, error) {
	if why.alone != nil {
		if err := why.alone.Acquire(ctx); err != nil {
			return time.Time{}, 0, err
		}
		defer why.alone.Release()
	}
	return g.waitForSlot(ctx, p, why.who, caps, lead)
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

// claim notes that a question is about to be asked. ledger.ErrStale: somebody
// else is asking, or the payment has gone on.
func (g *Gateway) claim(ctx context.Context, p ledger.Payment, who caller, method provider.Method) (ledger.Payment, error) {
	now := g.now()
	claim := p
	claim.Checks++
	claim.CheckedAt = now
	if who == bySchedule {
		claim.NextCheckAt = method.Policy.NextCheck(claim.Payment, now)
	}
	return g.Ledger.ClaimCheck(ctx, claim)
}

// askAgain puts a question once more that certainly or probably went unheard,
// in a slot of its own; without one the first answer stands.
func (g *Gateway) askAgain(ctx context.Context, prov provider.Provider, p ledger.Payment, who caller, first provider.Answer) provider.Answer {
	from := g.now()
	wait, ok, err := g.reserve(ctx, statusLimiter(prov.Capabilities()), from, who.maxWait())
	if err != nil || !ok || g.Sleep(ctx, from.Add(wait).Sub(g.now())) != nil || g.now().Sub(from.Add(wait)) > slotLasts {
		return first
	}
	told := prov.Status(ctx, p.Payment)
	told.Exchanges = append(first.Exchanges, told.Exchanges...)
	return told
}

func lastError(told provider.Answer) string {
	if n := len(told.Exchanges); n > 0 {
		return told.Exchanges[n-1].Err
	}
	return "not asked"
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
