package gateway

import (
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Kind is the result of a request to pay.
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
	// Refused: the provider refused the payer or the request; Payment has
	// FAILED.
	Refused
	// AccountRefused: the provider refused our account, for any payer. Nothing
	// was charged; Payment has FAILED.
	AccountRefused
	// NotStarted: the provider was out of reach before anything was sent, or
	// its request limit was spent by then. Nothing was charged; Payment, which
	// was stored before, has FAILED.
	NotStarted
	// LikelyDuplicate: the provider's answer is what the contract calls a
	// duplicate; it proves nothing, so Payment is open and is reconciled.
	LikelyDuplicate
	// Unavailable: no payment was made; try again.
	Unavailable
)

// Answer is the outcome of Initiate.
type Answer struct {
	Kind    Kind
	Payment ledger.Payment // zero for Invalid and Unavailable
	// Status and Phase are for Accepted, as when first answered. The status
	// is an ending where the provider's answer was the outcome itself.
	Status     payment.Status
	Phase      payment.Phase
	Code       string // for Refused and AccountRefused: the provider's own code
	Faults     []Fault
	RetryAfter time.Duration // for InProgress, NotStarted and Unavailable
	Busy       bool          // for Unavailable: the provider is well, its request limit is spent
	Replayed   bool          // from an earlier request under the same key
}

// answerTo is the answer to the app, from the provider's answer and the
// payment's state.
func answerTo(entry ledger.Payment, after payment.Payment, told provider.Answer) Answer {
	entry.Payment = after
	refused := after.Status == payment.Failed && told.Evidence.Verdict == payment.SaysRefused
	switch {
	case refused && told.Evidence.AccountFault:
		return Answer{Kind: AccountRefused, Payment: entry, Code: told.Evidence.Code}
	case refused && (told.Evidence.Code == provider.CodeLimitSpent || told.Evidence.Code == codeNotSent):
		return Answer{Kind: NotStarted, Payment: entry, RetryAfter: guard.ProbeEvery}
	case refused:
		return Answer{Kind: Refused, Payment: entry, Code: told.Evidence.Code}
	case told.Evidence.Code == provider.CodeDuplicate:
		return Answer{Kind: LikelyDuplicate, Payment: entry}
	}
	if ending, ends := told.Evidence.Verdict.Ending(); ends && after.Status == ending {
		return Answer{Kind: Accepted, Payment: entry, Status: ending}
	}
	return Answer{Kind: Accepted, Payment: entry, Status: payment.Pending, Phase: phaseAnswered(after)}
}

// phaseAnswered: a payment that a callback ended while its own request was still
// being answered is reported as accepted; the app learns the ending by callback.
func phaseAnswered(p payment.Payment) payment.Phase {
	if p.Open() {
		return p.Phase
	}
	return payment.PhaseAwaitingPayer
}

// Kinds of answers (ledger.Payment.AnswerKind) that tell what the audit trail
// may not.
const (
	KeptNotStarted     = "not_started"     // the provider was not asked
	KeptAccountRefused = "account_refused" // it refused our account
)

// The other kinds of answers as they are stored for replays.
const (
	keptAccepted  = "accepted"
	keptRefused   = "refused"
	keptDuplicate = "likely_duplicate"
)

// keptAnswer is the form in which an answer is kept for a replay.
func keptAnswer(a Answer) (kind, detail string) {
	switch a.Kind {
	case Refused:
		return keptRefused, a.Code
	case AccountRefused:
		return KeptAccountRefused, a.Code
	case NotStarted:
		return KeptNotStarted, ""
	case LikelyDuplicate:
		return keptDuplicate, ""
	}
	if a.Status.Ended() {
		return keptAccepted, string(a.Status)
	}
	return keptAccepted, string(a.Phase)
}

// readAnswer reads back what keptAnswer wrote.
func readAnswer(p ledger.Payment) Answer {
	a := Answer{Kind: Accepted, Payment: p, Replayed: true}
	switch p.AnswerKind {
	case keptRefused:
		a.Kind, a.Code = Refused, p.AnswerDetail
	case KeptAccountRefused:
		a.Kind, a.Code = AccountRefused, p.AnswerDetail
	case KeptNotStarted:
		a.Kind, a.RetryAfter = NotStarted, guard.ProbeEvery
	case keptDuplicate:
		a.Kind = LikelyDuplicate
	default:
		a.Status = payment.Status(p.AnswerDetail)
		if !a.Status.Ended() {
			a.Status, a.Phase = payment.Pending, payment.Phase(p.AnswerDetail)
		}
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
	case stored.AnswerKind == "" && now.Before(stored.SubmitDeadline):
		// A callback may have ended the payment already: the first request
		// still writes its answer, and every replay must repeat that one.
		return Answer{Kind: InProgress, Payment: stored, RetryAfter: min(stored.SubmitDeadline.Sub(now), inProgressWait)}
	case stored.AnswerKind == "": // the first request died on the way
		// There is no stored answer to repeat: the payment's own state is the answer.
		return Answer{Kind: Accepted, Payment: stored, Status: stored.Status, Phase: stored.Phase, Replayed: true}
	}
	return readAnswer(stored)
}
