package gateway

import (
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
