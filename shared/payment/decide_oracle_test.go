package payment_test

import (
	"slices"
	"time"

	"momoproxy/shared/payment"
)

// This file says what must become of a payment, as rules for people, apart
// from the code that decides. decide_test.go holds Decide against it for
// every combination of what a payment can be and what can be said about it.

// situation is a payment and something said about it.
type situation struct {
	p       payment.Payment
	e       payment.Evidence
	differs bool // amount, currency or payer are not the payment's
}

// outcome is what must follow. An empty status, phase or endedBy stays as it
// was.
type outcome struct {
	status       payment.Status
	endedBy      payment.Source
	phase        payment.Phase
	anomaly      payment.Anomaly
	confirm      bool
	known        bool // from now on the provider is known to know the payment
	unanswerable bool // from now on only an operator, or news, ends it
	invoice      bool // the invoice is announced as well
	notFound     int  // answers that prove absence, counted so far; -1: as before
	stopsAsk     bool
}

var endings = map[payment.Verdict]payment.Status{
	payment.SaysSuccessful: payment.Successful,
	payment.SaysFailed:     payment.Failed,
	payment.SaysCancelled:  payment.Cancelled,
	payment.SaysRefused:    payment.Failed,
}

var (
	believed = []payment.Source{payment.FromSubmit, payment.FromStatus, payment.FromSignedWebhook, payment.FromTrustedCallback, payment.FromOperator}
	ours     = []payment.Source{payment.FromClock, payment.FromAbsence}
	aware    = []payment.Verdict{payment.SaysAccepted, payment.SaysPending, payment.SaysUnrecognised}
)

// ending is what the evidence claims; empty when it names no ending, or one
// that its source cannot speak of.
func (s situation) ending() payment.Status {
	if s.e.Verdict == payment.SaysRefused && s.e.Source != payment.FromSubmit {
		return ""
	}
	return endings[s.e.Verdict]
}

func (s situation) says(v ...payment.Verdict) bool { return slices.Contains(v, s.e.Verdict) }
func (s situation) ended() bool                    { return s.p.Status.Ended() }
func (s situation) held() bool                     { return s.p.Phase == payment.PhaseHeld }
func (s situation) contradicts() bool {
	return s.ended() && s.ending() != "" && s.ending() != s.p.Status
}
func (s situation) ageIs(atLeast time.Duration) bool {
	return !s.e.At.Before(s.p.CreatedAt.Add(atLeast))
}

// invoices: the evidence brings the invoice of a payment that had none, and
// that has succeeded with it or before.
func (s situation) invoices(status payment.Status) bool {
	return s.e.InvoiceURL != "" && s.p.InvoiceURL == "" && status == payment.Successful && !s.differs &&
		slices.Contains(believed, s.e.Source) && s.says(payment.SaysSuccessful)
}
func (s situation) submitOver() bool { return s.e.At.After(s.p.SubmitDeadline) }

// absent: the provider, asked when a request cannot be on its way any more,
// does not know the payment and never did.
func (s situation) absent() bool {
	return s.says(payment.SaysNotFound) && s.e.Source == payment.FromStatus && !s.p.Accepted &&
		!s.e.At.Before(s.p.SubmitDeadline.Add(policy.NotFoundGrace))
}
func (s situation) spaced() bool {
	return s.p.NotFoundCount == 0 || s.e.At.Sub(s.p.NotFoundAt) >= policy.NotFoundSpacing
}

type rule struct {
	why  string
	when func(s situation) bool
	then func(s situation) outcome
}

func stays(anomaly payment.Anomaly, confirm bool) func(situation) outcome {
	return func(situation) outcome { return outcome{anomaly: anomaly, confirm: confirm, notFound: -1} }
}

// rules in order; the first that applies is what happens.
var rules = []rule{
	// What is no evidence.
	{"an unsigned callback about an open payment is a reason to ask, never more; so is whatever comes from nowhere known",
		func(s situation) bool { return !slices.Contains(believed, s.e.Source) && !s.ended() },
		stays("", true)},
	{"a hint that contradicts an ended payment is recorded and checked, never applied",
		func(s situation) bool { return !slices.Contains(believed, s.e.Source) && s.contradicts() },
		stays(payment.AnomalyContradiction, true)},
	{"a hint of an invoice that is not known yet is a reason to ask",
		func(s situation) bool {
			return !slices.Contains(believed, s.e.Source) && s.p.Status == payment.Successful && s.p.InvoiceURL == "" && s.e.InvoiceURL != ""
		},
		stays("", true)},
	{"a hint that tells nothing new is nothing",
		func(s situation) bool { return !slices.Contains(believed, s.e.Source) },
		stays("", false)},

	// Ended payments.
	{"an ending is not touched by what does not contradict it",
		func(s situation) bool { return s.ended() && !s.contradicts() },
		stays("", false)},
	{"SUCCESSFUL is absorbing; what contradicts it is recorded, and checked unless it is the provider's own answer",
		func(s situation) bool { return s.p.Status == payment.Successful },
		func(s situation) outcome {
			return stays(payment.AnomalyContradiction, s.e.Source != payment.FromStatus)(s)
		}},
	{"a success of another amount, currency or payer corrects nothing, and an ending of another payment ends no questions",
		func(s situation) bool {
			if !s.ended() || !s.differs || s.e.Source == payment.FromSubmit {
				return false
			}
			if s.ending() == payment.Successful {
				return s.e.Source == payment.FromStatus
			}
			return slices.Contains(ours, s.p.EndedBy)
		},
		stays(payment.AnomalyMismatch, false)},
	{"the provider's own status answer corrects any other ending to SUCCESSFUL, and that is an anomaly",
		func(s situation) bool {
			return s.ended() && s.ending() == payment.Successful && s.e.Source == payment.FromStatus
		},
		func(s situation) outcome {
			return outcome{status: payment.Successful, endedBy: payment.FromStatus, anomaly: payment.AnomalyCorrected, notFound: -1, stopsAsk: true}
		}},
	{"once the provider names an ending of its own, our conclusion stands in public and asking stops",
		func(s situation) bool {
			return s.ended() && s.ending() != payment.Successful && slices.Contains(ours, s.p.EndedBy) && s.e.Source != payment.FromSubmit
		},
		func(s situation) outcome { return outcome{endedBy: s.e.Source, notFound: -1, stopsAsk: true} }},
	{"any other contradiction of an ending is recorded, and checked unless it is the provider's own answer",
		func(s situation) bool { return s.ended() },
		func(s situation) outcome {
			return stays(payment.AnomalyContradiction, s.e.Source != payment.FromStatus)(s)
		}},

	// Open payments.
	{"evidence about another amount, currency or payer holds the payment and ends nothing",
		func(s situation) bool { return s.differs && (s.ending() != "" || s.says(aware...)) },
		func(s situation) outcome {
			return outcome{phase: payment.PhaseHeld, anomaly: payment.AnomalyMismatch, notFound: -1}
		}},
	{"a held payment waits for its operator, whoever else now names an ending",
		func(s situation) bool { return s.held() && s.ending() != "" && s.e.Source != payment.FromOperator },
		stays(payment.AnomalyMismatch, false)},
	{"what the provider has accepted, its answer to the request cannot refuse",
		func(s situation) bool {
			return s.says(payment.SaysRefused) && s.e.Source == payment.FromSubmit && s.p.Accepted
		},
		stays(payment.AnomalyContradiction, false)},
	{"what was asked about since, the answer to its first request cannot refuse: a question may have made it again",
		func(s situation) bool {
			return s.says(payment.SaysRefused) && s.e.Source == payment.FromSubmit && s.p.Checks > 0
		},
		func(s situation) outcome {
			return outcome{phase: payment.PhaseInReconciliation, anomaly: payment.AnomalyRefusedLate, notFound: -1}
		}},
	{"an ending told by evidence ends the payment",
		func(s situation) bool { return s.ending() != "" },
		func(s situation) outcome {
			return outcome{status: s.ending(), endedBy: s.e.Source, notFound: -1, stopsAsk: true}
		}},
	{"two spaced answers after the grace time, that the provider never received it, end it as FAILED",
		func(s situation) bool { return !s.held() && s.absent() && s.spaced() && s.p.NotFoundCount > 0 },
		func(s situation) outcome {
			return outcome{status: payment.Failed, endedBy: payment.FromAbsence, notFound: -1}
		}},
	{"our clock ends it when the provider, asked at the window's end or later, names no ending; unless an operator has to look",
		func(s situation) bool {
			unanswerable := (s.p.Unanswerable && !s.says(aware...)) || s.says(payment.SaysUnanswerable) && !s.p.Accepted
			return !s.held() && s.e.Source == payment.FromStatus && s.ageIs(policy.Window) && !unanswerable
		},
		func(s situation) outcome {
			o := outcome{status: payment.Timeout, endedBy: payment.FromClock, notFound: -1}
			switch {
			case s.says(payment.SaysUnrecognised):
				o.anomaly = payment.AnomalyUnrecognised
			case s.says(payment.SaysNotFound) && s.p.Accepted:
				o.anomaly = payment.AnomalyForgotten
			}
			if s.says(aware...) {
				o.known, o.notFound = true, 0
			}
			if s.absent() {
				o.notFound = 1
			}
			return o
		}},
	{"whoever has a word for it knows the payment: it waits for its payer; an unknown word stays open and raises an alarm",
		func(s situation) bool { return s.says(aware...) },
		func(s situation) outcome {
			o := outcome{phase: payment.PhaseAwaitingPayer, known: true}
			if s.held() {
				o.phase = payment.PhaseHeld
			}
			if s.says(payment.SaysUnrecognised) {
				o.anomaly = payment.AnomalyUnrecognised
			}
			return o
		}},
	{"a provider that forgets what it accepted proves nothing",
		func(s situation) bool {
			return s.says(payment.SaysNotFound) && s.e.Source == payment.FromStatus && s.p.Accepted
		},
		stays(payment.AnomalyForgotten, false)},
	{"the first answer of absence after the grace time is remembered",
		func(s situation) bool { return !s.held() && s.absent() && s.spaced() },
		func(s situation) outcome { return outcome{phase: payment.PhaseInReconciliation, notFound: 1} }},
	{"what nobody can be asked about is put before an operator, once",
		func(s situation) bool {
			return !s.held() && !s.p.Accepted && !s.p.Unanswerable && s.says(payment.SaysUnanswerable) &&
				(s.e.Source == payment.FromSubmit || s.e.Source == payment.FromStatus && s.submitOver())
		},
		func(s situation) outcome {
			return outcome{phase: payment.PhaseInReconciliation, unanswerable: true, anomaly: payment.AnomalyUnanswerable, notFound: -1}
		}},
	{"unknown is not failed: with no usable answer to the request, or none by its deadline, it stays open in reconciliation",
		func(s situation) bool {
			return !s.held() && !s.p.Accepted && (s.submitOver() || s.e.Source == payment.FromSubmit)
		},
		func(s situation) outcome { return outcome{phase: payment.PhaseInReconciliation, notFound: -1} }},
	{"otherwise nothing has happened",
		func(situation) bool { return true },
		stays("", false)},
}

// expect gives the rule that applies, and what must follow from it.
func expect(s situation) (int, outcome) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.when(s) })
	o := rules[i].then(s)
	after := s.p.Status
	if o.status != "" {
		after = o.status
	}
	o.invoice = s.invoices(after)
	return i, o
}
