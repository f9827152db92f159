package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Kind is what became of a request to pay.
type Kind int

const (
	// Accepted: the payment is stored and open (or, on a replay, was). The
	// provider has it, or it is in reconciliation.
	Accepted Kind = iota + 1
	// Invalid: Faults say why; nothing was stored.
	Invalid
	// ExternalIDTaken: Payment is the live or successful one that holds it.
	ExternalIDTaken
	// KeyReused: the Idempotency-Key belongs to another request.
	KeyReused
	// InProgress: the first request under this key is still running.
	InProgress
	// Refused: the provider refused for good; Payment has FAILED.
	Refused
	// NotTaken: the provider refused our credentials in the middle of the
	// request, was out of reach before anything was sent, or its request limit
	// was spent by then. Nothing was charged; Payment, which was stored before,
	// has FAILED.
	NotTaken
	// LikelyDuplicate: the provider's answer is what the contract calls a
	// duplicate; it proves nothing, so Payment is open and is reconciled.
	LikelyDuplicate
	// Unavailable: nothing was charged and no payment stands open; try again.
	Unavailable
)

// Answer is the outcome of Initiate.
type Answer struct {
	Kind    Kind
	Payment ledger.Payment // zero for Invalid and, mostly, Unavailable
	// Status and Phase are for Accepted, as when first answered. The status
	// is an ending where the provider's answer was the outcome itself.
	Status     payment.Status
	Phase      payment.Phase
	Code       string // for Refused: the provider's own code
	Faults     []Fault
	RetryAfter time.Duration // for InProgress and Unavailable
	Busy       bool          // for Unavailable: the provider is well, its request limit is spent
	Replayed   bool          // from an earlier request under the same key
}

// Recorder turns an answer into the audit record of the app's request, so
// that it is written in the same transaction as the payment's state. It may
// be called more than once; the last call counts.
type Recorder func(Answer) ledger.AuditRecord

// Initiate starts a payment for an authenticated, active client. The payment
// and its external-id lock are stored before the provider hears of them, the
// provider is asked under one reference only, and whatever cannot be known is
// left to reconciliation. An error is ours alone: nothing was charged.
//
// recorded says whether the audit record of the request has been written;
// otherwise the caller writes it.
func (g *Gateway) Initiate(ctx context.Context, c ledger.Client, r Request, record Recorder) (answer Answer, recorded bool, err error) {
	p, prov, faults := g.read(r)
	if len(faults) > 0 {
		return Answer{Kind: Invalid, Faults: faults}, false, nil
	}
	p.ClientID = c.ID
	p.Reference = payment.NewReference(g.Random)
	if r.IdempotencyKey != "" {
		p.Reference = payment.ReferenceFor(c.ID, r.IdempotencyKey)
	}

	providerCtx, cancel := within(ctx, submitBudget, answerReserve)
	defer cancel()
	if wait, err := g.ready(providerCtx, prov); errors.Is(err, errTable) {
		return Answer{}, false, err
	} else if err != nil {
		g.Log.WarnContext(ctx, "provider.not_ready", "provider", p.Provider, "error", err.Error())
		return g.unavailableUnlessKnown(ctx, p, r, wait)
	}

	caps := prov.Capabilities()
	if caps.Submits.Every > 0 {
		// A request that makes no payment takes nobody's turn.
		if answer, known, err := g.alreadyThere(ctx, p); known || err != nil {
			return answer, false, err
		}
	}
	turn, err := g.takeSubmitTurn(providerCtx, caps, c.ID)
	var none *noTurnError
	if errors.As(err, &none) {
		g.Log.WarnContext(ctx, "provider.no_turn", "provider", p.Provider, "client", c.ID, "error", err.Error())
		return Answer{Kind: Unavailable, RetryAfter: none.wait, Busy: true}, false, nil
	} else if err != nil {
		return Answer{}, false, err
	}
	now := g.now()
	p.Status, p.Phase = payment.Pending, payment.PhaseSubmitting
	p.CreatedAt, p.UpdatedAt, p.SubmitDeadline = now, now, now.Add(submitLease)
	p.NextCheckAt = caps.Method(p.Method).Policy.NextCheck(p, now)
	token, tokenHash := g.callbackToken()
	entry, err := g.Ledger.Create(ctx, ledger.Payment{Payment: p, CallbackTokenHash: tokenHash, RequestHash: requestHash(p)})
	if answer, known, err := g.whyNotCreated(ctx, p, err); known {
		return answer, false, err
	}

	g.claimProbe(ctx, caps.Name)
	told := g.submit(providerCtx, prov, entry, turn, token)

	answerOf := func(after payment.Payment) Answer { return answerTo(entry, after, told) }
	after, err := g.settle(ctx, entry, news{
		evidence: told.Evidence,
		audit: func(after payment.Payment, anomaly payment.Anomaly) []ledger.AuditRecord {
			return append(exchangeRecords(after, told.Exchanges, string(anomaly)), record(answerOf(after)))
		},
		answer: func(after payment.Payment) (int, string) { return keptAnswer(answerOf(after)) },
	})
	if err != nil {
		// The provider has been asked and our table does not answer. The
		// payment is stored as PENDING, so reconciliation ends it.
		g.Log.ErrorContext(ctx, "payment.answer_not_stored", "reference", entry.Reference, "error", err.Error())
		entry.Phase = payment.PhaseInReconciliation
		return Answer{Kind: Accepted, Payment: entry, Status: payment.Pending, Phase: entry.Phase}, false, nil
	}
	answer = answerTo(after, after.Payment, told)
	answer.Payment = after
	return answer, true, nil
}

// Reasons of a payment that certainly never reached the provider: its request
// limit was spent, or there was no way to it (no token, no connection).
const (
	codeNoTurn  = "REQUEST_LIMIT_SPENT"
	codeNotSent = "NOT_SENT"
)

// submit asks the provider to charge, within its turn. One that is stale by
// now (the table was slow) is taken anew; without one nothing is asked, and
// that is certain.
func (g *Gateway) submit(ctx context.Context, prov provider.Provider, p ledger.Payment, turn time.Time, token string) provider.Answer {
	caps := prov.Capabilities()
	if caps.Submits.Every > 0 && g.now().Sub(turn) > submitTurnLasts {
		again, err := g.takeSubmitTurn(ctx, caps, p.ClientID)
		if err != nil || g.now().Sub(again) > submitTurnLasts {
			g.Log.ErrorContext(ctx, "provider.turn_lost", "provider", caps.Name, "reference", p.Reference)
			return provider.Answer{Evidence: payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: codeNoTurn, At: g.now()}}
		}
	}
	told := prov.Submit(ctx, p.Payment, g.callbackURL(p.Reference, token))
	g.noteSubmit(ctx, caps.Name, told)
	g.logAsked(ctx, p, "submit", told)
	if !told.Attempted {
		told.Evidence = payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: codeNotSent}
	}
	told.Evidence.At = g.now()
	return told
}

// answerTo says what the app is told, from what the provider said and where
// the payment stands.
func answerTo(entry ledger.Payment, after payment.Payment, told provider.Answer) Answer {
	entry.Payment = after
	refused := after.Status == payment.Failed && told.Evidence.Verdict == payment.SaysRefused
	switch {
	case refused && told.Evidence.Code == provider.CodeCredentials:
		return Answer{Kind: NotTaken, Payment: entry, RetryAfter: credentialsWait}
	case refused && (told.Evidence.Code == codeNoTurn || told.Evidence.Code == codeNotSent):
		return Answer{Kind: NotTaken, Payment: entry, RetryAfter: breakerProbe}
	case refused:
		return Answer{Kind: Refused, Payment: entry, Code: told.Evidence.Code}
	case told.LikelyDuplicate:
		return Answer{Kind: LikelyDuplicate, Payment: entry}
	}
	if ending, ends := told.Evidence.Verdict.Ending(); ends && after.Status == ending {
		return Answer{Kind: Accepted, Payment: entry, Status: ending}
	}
	return Answer{Kind: Accepted, Payment: entry, Status: payment.Pending, Phase: phaseTold(after)}
}

// phaseTold: a payment that a callback ended while its own request was still
// being answered is told as accepted; the app learns the ending by callback.
func phaseTold(p payment.Payment) payment.Phase {
	if p.Open() {
		return p.Phase
	}
	return payment.PhaseAwaitingPayer
}

// keptAnswer is the form in which an answer is kept for a replay.
func keptAnswer(a Answer) (status int, detail string) {
	switch a.Kind {
	case Refused:
		return 502, a.Code
	case NotTaken:
		return 503, ""
	case LikelyDuplicate:
		return 502, ""
	}
	if a.Status.Ended() {
		return 202, string(a.Status)
	}
	return 202, string(a.Phase)
}

// keptAccepted reads it back.
func keptAccepted(p ledger.Payment) Answer {
	a := Answer{Kind: Accepted, Payment: p, Status: payment.Status(p.AnswerDetail)}
	if !a.Status.Ended() {
		a.Status, a.Phase = payment.Pending, payment.Phase(p.AnswerDetail)
	}
	return a
}

// inProgressWait is when a repeat of a running request is worth trying: most
// are answered within a second.
const inProgressWait = 2 * time.Second

// replay answers a repeat under the same Idempotency-Key from the payment's
// own state: never by asking the provider again.
func (g *Gateway) replay(stored ledger.Payment, hash string) Answer {
	switch now := g.now(); {
	case stored.RequestHash != hash:
		return Answer{Kind: KeyReused, Payment: stored}
	case stored.AnswerStatus == 0 && now.Before(stored.SubmitDeadline):
		// A callback may have ended the payment already: the first request
		// still writes its answer, and every replay must repeat that one.
		return Answer{Kind: InProgress, Payment: stored, RetryAfter: min(stored.SubmitDeadline.Sub(now), inProgressWait)}
	case stored.AnswerStatus == 0: // the first request died on the way
		// There is no stored answer to repeat: the payment's own state is told.
		return Answer{Kind: Accepted, Payment: stored, Status: stored.Status, Phase: stored.Phase, Replayed: true}
	case stored.AnswerStatus == 503:
		return Answer{Kind: NotTaken, Payment: stored, RetryAfter: credentialsWait, Replayed: true}
	case stored.AnswerStatus == 502 && stored.AnswerDetail != "":
		return Answer{Kind: Refused, Payment: stored, Code: stored.AnswerDetail, Replayed: true}
	case stored.AnswerStatus == 502:
		return Answer{Kind: LikelyDuplicate, Payment: stored, Replayed: true}
	}
	answer := keptAccepted(stored)
	answer.Replayed = true
	return answer
}

// whyNotCreated turns a failed Create into an answer. known is false when the
// payment was created.
func (g *Gateway) whyNotCreated(ctx context.Context, p payment.Payment, err error) (Answer, bool, error) {
	if err == nil {
		return Answer{}, false, nil
	}
	var exists *ledger.ExistsError
	if errors.As(err, &exists) {
		return g.replay(exists.Payment, requestHash(p)), true, nil
	}
	var taken *ledger.ExternalIDTakenError
	if errors.As(err, &taken) {
		holder, err := g.Ledger.Payment(ctx, taken.Reference)
		if err != nil {
			return Answer{}, true, fmt.Errorf("read holder of external id: %w", err)
		}
		return Answer{Kind: ExternalIDTaken, Payment: holder}, true, nil
	}
	return Answer{}, true, err
}

// alreadyThere answers a repeat under a known key, and a request whose order
// is taken, by reading alone. Whoever comes in between is met by Create.
func (g *Gateway) alreadyThere(ctx context.Context, p payment.Payment) (Answer, bool, error) {
	stored, err := g.Ledger.Payment(ctx, p.Reference)
	if err == nil {
		return g.replay(stored, requestHash(p)), true, nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return Answer{}, false, err
	}
	holder, err := g.Ledger.ExternalIDHolder(ctx, p.ClientID, p.ExternalID)
	if err != nil || holder.Reference == "" {
		return Answer{}, false, err
	}
	return Answer{Kind: ExternalIDTaken, Payment: holder}, true, nil
}

// unavailableUnlessKnown: a repeat under a known key still gets its stored
// answer when the provider is down.
func (g *Gateway) unavailableUnlessKnown(ctx context.Context, p payment.Payment, r Request, wait time.Duration) (Answer, bool, error) {
	if r.IdempotencyKey != "" {
		stored, err := g.Ledger.Payment(ctx, p.Reference)
		if err == nil {
			return g.replay(stored, requestHash(p)), false, nil
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return Answer{}, false, err
		}
	}
	return Answer{Kind: Unavailable, RetryAfter: wait}, false, nil
}

// callbackToken makes the secret part of a callback URL: 128 random bits, of
// which only the hash is stored.
func (g *Gateway) callbackToken() (token, hash string) {
	var b [16]byte
	if _, err := io.ReadFull(g.Random, b[:]); err != nil {
		panic("gateway: no randomness: " + err.Error())
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, tokenHash(token)
}

func tokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

func (g *Gateway) callbackURL(reference, token string) string {
	return g.PublicBaseURL + "/callback/" + reference + "/" + token
}
