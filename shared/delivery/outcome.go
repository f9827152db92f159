package delivery

import (
	"time"

	"momoproxy/shared/webhook"
)

// Outcome is one attempt as it ended, and what came before it.
type Outcome struct {
	// As in webhook.Result.
	Code       int
	Class      webhook.Class
	RetryAfter string
	Control    string

	// Charged counts the attempts before this one that used up the schedule,
	// Free those that did not. Both are zero at the first attempt.
	Charged, Free int
	// OwnURL: the attempt went to a URL that is this payment's alone, and not
	// to the app's.
	OwnURL bool
	// OffSchedule: the attempt stands beside the schedule. Somebody asked for it, or
	// it is a probe of the endpoint.
	OffSchedule bool
}

// Step is what happens to a delivery after an attempt.
type Step string

const (
	StepDelivered Step = "delivered" // the endpoint has it
	StepRetry     Step = "retry"     // attempt again at Next.At
	StepExhausted Step = "exhausted" // no more attempts; kept for an operator
	StepGone      Step = "gone"      // the app's URL takes no more: disable its endpoint, hold this and what follows
	StepKeep      Step = "keep"      // an attempt beside the schedule failed: the delivery stays as it was
)

// Reason says in one word why, for records, logs and metrics.
type Reason string

const (
	ReasonAccepted    Reason = "accepted"    // 2xx
	ReasonRedirected  Reason = "redirected"  // 3xx, never followed
	ReasonUnavailable Reason = "unavailable" // 408, 425, 429, 5xx
	ReasonRefused     Reason = "refused"     // any other 4xx, or a URL or address we may not call
	ReasonGone        Reason = "gone"        // 410, or it asked to be disabled: the endpoint, or a payment's own URL
	ReasonAborted     Reason = "aborted"     // the endpoint asked not to be sent this one again
	ReasonNetwork     Reason = "network"     // no answer, or not an HTTP one
	ReasonOurs        Reason = "ours"        // our own fault
)

// Next is what Decide says.
type Next struct {
	Step   Step
	Reason Reason
	At     time.Time // for StepRetry; else zero
	// Charged: the attempt counts against the schedule and, when it failed,
	// against the endpoint's health.
	Charged bool
}

// What an endpoint may ask for in the webhook-delivery header of an answer
// other than 2xx. Receivers of other webhook senders know these words.
const (
	controlAbort   = "abort-message"
	controlDisable = "disable"
)

// Decide turns the outcome of an attempt that ended at now into the next
// step. It is the only place that does, and it is pure: random in [0,1) is
// the source of jitter.
//
//	2xx                              delivered
//	410, webhook-delivery: disable   gone; exhausted if the payment has a URL of its own
//	webhook-delivery: abort-message  exhausted
//	any other answer                 retried on the whole schedule, Retry-After honoured
//	no answer, or URL or address refused by our guard: the same
//	our own fault                    retried and not charged, at most MaxFree times, then as no answer
//
// An attempt beside the schedule is never charged. When it fails nothing
// changes, save that gone is gone.
func Decide(o Outcome, now time.Time, random float64) Next {
	reason := o.reason()
	switch {
	case reason == ReasonAccepted:
		return Next{Step: StepDelivered, Reason: reason, Charged: !o.OffSchedule}
	case reason == ReasonGone && o.OwnURL:
		// The answer is about one payment. It says nothing about the app's
		// other payments, which may have the same host.
		return Next{Step: StepExhausted, Reason: reason, Charged: !o.OffSchedule}
	case reason == ReasonGone:
		return Next{Step: StepGone, Reason: reason, Charged: !o.OffSchedule}
	case o.OffSchedule:
		return Next{Step: StepKeep, Reason: reason}
	case reason == ReasonOurs:
		return Next{Step: StepRetry, Reason: reason, At: now.Add(waitFree(o.Free, random))}
	}
	attempt := max(o.Charged, 0) + 1
	if reason == ReasonAborted || attempt >= MaxAttempts {
		return Next{Step: StepExhausted, Reason: reason, Charged: true}
	}
	wait := withRetryAfter(Wait(attempt+1, random), o.RetryAfter, now, random)
	return Next{Step: StepRetry, Reason: reason, At: now.Add(wait), Charged: true}
}

// reason sorts every outcome there can be, nonsense included.
func (o Outcome) reason() Reason {
	switch {
	case o.Class.Ours() && o.Free < MaxFree:
		return ReasonOurs
	case o.Class == webhook.ClassURL, o.Class == webhook.ClassRefused:
		return ReasonRefused
	case o.Class != webhook.ClassNone:
		return ReasonNetwork
	case o.Code >= 200 && o.Code <= 299:
		return ReasonAccepted
	case o.Code == 410 || o.Code >= 300 && o.Control == controlDisable:
		return ReasonGone
	case o.Code >= 300 && o.Control == controlAbort:
		return ReasonAborted
	case o.Code >= 300 && o.Code <= 399:
		return ReasonRedirected
	case o.Code == 408, o.Code == 425, o.Code == 429, o.Code >= 500 && o.Code <= 599:
		return ReasonUnavailable
	case o.Code >= 400 && o.Code <= 499:
		return ReasonRefused
	}
	return ReasonNetwork
}
