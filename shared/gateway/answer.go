package gateway

import (
	"strings"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Kind is the result of a request to pay. Those that a replay repeats are
// stored with the payment, in these words.
type Kind string

const (
	// Accepted: the payment is stored and open (or, on a replay, was). The
	// provider has it, or it is in reconciliation.
	Accepted Kind = "accepted"
	// Invalid: Faults say why; nothing was stored.
	Invalid Kind = "invalid"
	// ExternalIDTaken: Payment is the live or successful one that holds it.
	ExternalIDTaken Kind = "external_id_taken"
	// KeyReused: the Idempotency-Key belongs to another request.
	KeyReused Kind = "key_reused"
	// InProgress: the first request under this key is still running.
	InProgress Kind = "in_progress"
	// Refused: the provider refused the payer or the request; Payment has
	// FAILED.
	Refused Kind = "refused"
	// AccountRefused: the provider refused our account, for any payer. Nothing
	// was charged; Payment has FAILED.
	AccountRefused Kind = "account_refused"
	// NotStarted: the provider was out of reach before anything was sent, or
	// its request limit was spent by then. Nothing was charged; Payment, which
	// was stored before, has FAILED.
	NotStarted Kind = "not_started"
	// LikelyDuplicate: the provider's answer is what the contract calls a
	// duplicate; it proves nothing, so Payment is open and is reconciled.
	LikelyDuplicate Kind = "likely_duplicate"
	// Unavailable: no payment was made; try again.
	Unavailable Kind = "unavailable"
)

// Answer is the outcome of Initiate.
type Answer struct {
	Kind    Kind
	Payment ledger.Payment // zero for Invalid and Unavailable
	// Status and Phase are for Accepted, as when first answered. The status
	// is an ending where the provider's answer was the outcome itself.
	Status     payment.Status
	Phase      payment.Phase
	Code       string              // for Refused and AccountRefused: the provider's own code
	Failure    payment.FailureCode // of a payment that has FAILED with this answer
	Faults     []Fault
	RetryAfter time.Duration // for InProgress, NotStarted and Unavailable
	Busy       bool          // for Unavailable: the provider is well, its request limit is spent
	Replayed   bool          // from an earlier request under the same key
}

// answerTo is the answer to the app, from what the provider said and the
// payment as it stands then.
func answerTo(p ledger.Payment, said payment.Evidence) Answer {
	refused := p.Status == payment.Failed && said.Verdict == payment.SaysRefused
	switch {
	case refused && said.AccountFault:
		return Answer{Kind: AccountRefused, Payment: p, Code: said.Code, Failure: p.FailureCode}
	case refused && (said.Code == provider.CodeLimitSpent || said.Code == payment.ReasonNotSent):
		return Answer{Kind: NotStarted, Payment: p, Failure: p.FailureCode, RetryAfter: guard.ProbeEvery}
	case refused:
		return Answer{Kind: Refused, Payment: p, Code: said.Code, Failure: p.FailureCode}
	case said.Code == provider.CodeDuplicate:
		return Answer{Kind: LikelyDuplicate, Payment: p}
	}
	if ending, ends := said.Verdict.Ending(); ends && p.Status == ending {
		return Answer{Kind: Accepted, Payment: p, Status: ending, Failure: p.FailureCode}
	}
	return Answer{Kind: Accepted, Payment: p, Status: payment.Pending, Phase: phaseAnswered(p.Payment)}
}

// phaseAnswered: a payment that a callback ended while its own request was still
// being answered is reported as accepted; the app learns the ending by callback.
func phaseAnswered(p payment.Payment) payment.Phase {
	if p.Open() {
		return p.Phase
	}
	return payment.PhaseAwaitingPayer
}

// detail is what is stored beside the kind of an answer, for a replay: words of
// ours, and behind them the provider's.
func (a Answer) detail() string {
	switch {
	case a.Kind != Accepted:
		return words(string(a.Failure), a.Code)
	case a.Status.Ended():
		return words(string(a.Status), string(a.Failure))
	}
	return string(a.Phase)
}

// words is the first, and behind it the second if there is one, as it is.
func words(first, second string) string {
	if second == "" {
		return first
	}
	return first + " " + second
}

// readAnswer reads back the answer that a payment has kept.
func readAnswer(p ledger.Payment) Answer {
	a := Answer{Kind: Kind(p.AnswerKind), Payment: p, Replayed: true}
	first, second, _ := strings.Cut(p.AnswerDetail, " ")
	switch a.Kind {
	case Refused, AccountRefused, NotStarted:
		a.Failure, a.Code = payment.FailureCode(first), second
	case Accepted:
		a.Status, a.Failure = payment.Status(first), payment.FailureCode(second)
		if !a.Status.Ended() {
			a.Status, a.Phase = payment.Pending, payment.Phase(first)
		}
	}
	if a.Kind == NotStarted {
		a.RetryAfter = guard.ProbeEvery
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
		return Answer{Kind: Accepted, Payment: stored, Status: stored.Status, Phase: stored.Phase, Failure: stored.FailureCode, Replayed: true}
	}
	return readAnswer(stored)
}
