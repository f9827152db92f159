package payment

import "time"

// Event names an announcement to the app.
type Event string

// One event per ending. A correction announces EventSuccessful with the next
// sequence.
const (
	EventSuccessful Event = "payment.successful"
	EventFailed     Event = "payment.failed"
	EventTimeout    Event = "payment.timeout"
	EventCancelled  Event = "payment.cancelled"
	// EventInvoice: the provider has made the invoice of a payment that
	// succeeded. It always follows EventSuccessful.
	EventInvoice Event = "invoice.created"
)

// Anomaly names what an operator should look at. Empty: nothing.
type Anomaly string

const (
	// AnomalyCorrected: an ending other than SUCCESSFUL was corrected.
	AnomalyCorrected Anomaly = "corrected_to_successful"
	// AnomalyContradiction: evidence against an ending that stands.
	AnomalyContradiction Anomaly = "contradicts_ending"
	// AnomalyMismatch: amount, currency or payer differ from the payment.
	AnomalyMismatch Anomaly = "evidence_mismatch"
	// AnomalyUnrecognised: a status word nobody here knows.
	AnomalyUnrecognised Anomaly = "unrecognised_status"
	// AnomalyForgotten: the provider no longer knows a reference it accepted.
	AnomalyForgotten Anomaly = "provider_forgot"
	// AnomalyUnanswerable: nobody's interface can tell how it ended; an
	// operator has to find out.
	AnomalyUnanswerable Anomaly = "outcome_unanswerable"
)

// ReasonNotReceived is the Reason of a payment that never reached the
// provider; ReasonNoEnding that of a TIMEOUT.
const (
	ReasonNotReceived = "NOT_RECEIVED_BY_PROVIDER"
	ReasonNoEnding    = "NO_ENDING_WITHIN_WINDOW"
)

// MaxReason bounds Payment.Reason and FinancialTransactionID, in bytes.
const MaxReason = 200

// Decision is what evidence does to a payment.
type Decision struct {
	// Payment is the payment as it should now be stored. Equal to the input
	// when Changed is false.
	Payment Payment
	Changed bool
	// Events are the announcements this decision makes, in order. With each,
	// Payment.Sequence has gone up by one; Sequence tells which is whose.
	Events []Event
	// Confirm: the evidence was not applied and may be right; ask the
	// provider. Never set by a status answer.
	Confirm bool
	Anomaly Anomaly
}

// Sequence is the number of the i-th of the decision's events.
func (d Decision) Sequence(i int) int { return d.Payment.Sequence - len(d.Events) + 1 + i }

// Decide is the only way a payment's state changes. It is pure and total:
// any evidence about any payment gives a decision, and the same evidence
// again gives one that changes nothing. What must hold:
//
//   - SUCCESSFUL is never left.
//   - FAILED, TIMEOUT and CANCELLED are left only for SUCCESSFUL, only by the
//     provider's own status answer.
//   - An ending needs evidence of it, our clock past the window (TIMEOUT), or
//     spaced answers that the provider never received it (FAILED).
//   - Evidence whose amount, currency or payer differ ends nothing. It holds
//     an open payment, and a held one is ended by an operator alone.
func Decide(p Payment, e Evidence, pol Policy) Decision {
	d := Decision{Payment: p}
	if !meant(e) {
		e.Verdict = SaysNothing
	}
	switch {
	case !believed(e.Source):
		decideHint(&d, e)
	case p.Status.Ended():
		decideEnded(&d, e)
	default:
		decideOpen(&d, e, pol)
	}
	if believed(e.Source) && knows(e.Verdict) && !mismatch(p, e) {
		decideParticulars(&d, e)
	}
	if d.Changed {
		d.Payment.UpdatedAt = e.At
		d.Payment.NextCheckAt = nextCheck(p, d.Payment, e.At, pol)
	}
	return d
}

// decideParticulars adds what the evidence tells besides. The invoice is an
// event of its own, once.
func decideParticulars(d *Decision, e Evidence) {
	invoiced := d.Payment.InvoiceURL != ""
	if !learn(&d.Payment, e) {
		return
	}
	d.Changed = true
	if d.Payment.InvoiceURL != "" && !invoiced {
		d.Payment.Sequence++
		d.Events = append(d.Events, EventInvoice)
	}
}

// knows says whether whoever says this knows the payment, and can tell more
// about it.
func knows(v Verdict) bool {
	switch v {
	case SaysAccepted, SaysPending, SaysUnrecognised, SaysSuccessful, SaysFailed, SaysCancelled:
		return true
	}
	return false
}

// nextCheck: news about an open payment never puts a planned check off. It
// also spares the due index a move when, as mostly, the news is good.
func nextCheck(before, after Payment, now time.Time, pol Policy) time.Time {
	next := pol.NextCheck(after, now)
	if after.Open() && before.NextCheckAt.After(now) && before.NextCheckAt.Before(next) {
		return before.NextCheckAt
	}
	return next
}

// believed lists the sources that can be evidence. Whatever else claims
// something, a forgotten Source included, is a hint.
func believed(s Source) bool {
	switch s {
	case FromSubmit, FromStatus, FromSignedWebhook, FromTrustedCallback, FromOperator:
		return true
	}
	return false
}

// meant says whether the source can say this at all. What it cannot say is no
// usable answer: above all, only a status answer can prove absence, and only
// the answer to the request can refuse it.
func meant(e Evidence) bool {
	switch e.Verdict {
	case SaysNothing, SaysAccepted, SaysPending, SaysUnrecognised, SaysSuccessful, SaysFailed, SaysCancelled:
		return true
	case SaysRefused:
		return e.Source == FromSubmit
	case SaysNotFound:
		return e.Source == FromStatus
	case SaysUnanswerable:
		return e.Source == FromSubmit || e.Source == FromStatus
	}
	return false
}

// decideHint: an unsigned callback is never applied. It is worth a question
// unless it repeats what is already known.
func decideHint(d *Decision, e Evidence) {
	ending, ends := e.Verdict.Ending()
	switch {
	case !d.Payment.Status.Ended():
		d.Confirm = true
	case ends && ending != d.Payment.Status:
		d.Confirm, d.Anomaly = true, AnomalyContradiction
	case d.Payment.Status == Successful && d.Payment.InvoiceURL == "" && e.InvoiceURL != "":
		d.Confirm = true
	}
}

// Hinted records that the provider, asked because of a callback claiming an
// ending, did not confirm it yet, and brings the next check forward. For a
// payment that has ended otherwise only a claimed success is worth that: it
// is then asked about again for a while.
func Hinted(p Payment, claimed Status, at time.Time, pol Policy) (Payment, bool) {
	switch {
	case p.Status == Successful, p.Status == claimed,
		p.Open() && !p.HintedAt.IsZero(),
		p.Status.Ended() && (claimed != Successful || pol.doubted(p, at)):
		return p, false
	}
	p.HintedAt, p.UpdatedAt = at, at
	if p.HintedAt.Before(p.EndedAt) {
		p.HintedAt = p.EndedAt // one of two clocks is off
	}
	p.NextCheckAt = pol.NextCheck(p, at)
	return p, true
}

func decideEnded(d *Decision, e Evidence) {
	ending, ends := e.Verdict.Ending()
	if !ends || ending == d.Payment.Status {
		return
	}
	// Only the provider's status answer can correct; whatever else
	// contradicts is a reason to ask for it.
	fromStatus := e.Source == FromStatus
	conclusion := d.Payment.EndedBy == FromClock || d.Payment.EndedBy == FromAbsence
	switch {
	case d.Payment.Status != Successful && ending == Successful && fromStatus:
		if mismatch(d.Payment, e) {
			d.Anomaly = AnomalyMismatch
			return
		}
		end(d, e, Successful, e.Source)
		d.Anomaly = AnomalyCorrected
	case conclusion && ending != Successful && e.Source != FromSubmit:
		if mismatch(d.Payment, e) {
			d.Anomaly = AnomalyMismatch
			return
		}
		// The provider now names an ending of its own. The public status
		// stands (only SUCCESSFUL may replace it); asking can stop.
		d.Payment.EndedBy = e.Source
		d.Changed = true
	default:
		d.Confirm, d.Anomaly = !fromStatus, AnomalyContradiction
	}
}

func decideOpen(d *Decision, e Evidence, pol Policy) {
	p := &d.Payment
	ending, ends := e.Verdict.Ending()
	switch {
	case mismatch(*p, e):
		d.Anomaly = AnomalyMismatch
		if p.Phase != PhaseHeld {
			p.Phase, d.Changed = PhaseHeld, true
		}
		return
	case ends && p.Phase == PhaseHeld && e.Source != FromOperator:
		// It may carry no amount at all, or the provider contradicts itself.
		d.Anomaly = AnomalyMismatch
		return
	case e.Verdict == SaysRefused && p.Accepted:
		d.Anomaly = AnomalyContradiction
		return
	case ends:
		end(d, e, ending, e.Source)
		return
	}

	switch e.Verdict {
	case SaysAccepted, SaysPending, SaysUnrecognised:
		if e.Verdict == SaysUnrecognised {
			d.Anomaly = AnomalyUnrecognised
		}
		if !p.Accepted { // answers of absence are counted only until then
			p.Accepted, p.NotFoundCount, p.NotFoundAt = true, 0, time.Time{}
			d.Changed = true
		}
		if p.Unanswerable {
			p.Unanswerable, d.Changed = false, true
		}
		setPhase(d, PhaseAwaitingPayer)
	case SaysNotFound:
		if p.Accepted {
			d.Anomaly = AnomalyForgotten
			break
		}
		decideNotFound(d, e, pol)
	case SaysNothing, SaysUnanswerable:
		if e.Source != FromSubmit && !e.At.After(p.SubmitDeadline) {
			break // the request may still be at work on it
		}
		setPhase(d, PhaseInReconciliation)
		if e.Verdict == SaysUnanswerable && !p.Accepted && !p.Unanswerable && p.Phase != PhaseHeld {
			p.Unanswerable, d.Changed, d.Anomaly = true, true, AnomalyUnanswerable
		}
	}

	if !p.Status.Ended() && e.Source == FromStatus && p.Phase != PhaseHeld && !p.Unanswerable && !e.At.Before(pol.end(*p)) {
		e.Code, e.Reason = ReasonNoEnding, ""
		end(d, e, Timeout, FromClock)
	}
}

// decideNotFound counts answers that prove absence: given after the grace
// time (the request may still have been on its way) and apart from each
// other. The second ends the payment.
func decideNotFound(d *Decision, e Evidence, pol Policy) {
	p := &d.Payment
	if p.Phase == PhaseHeld {
		return
	}
	if e.At.After(p.SubmitDeadline) {
		setPhase(d, PhaseInReconciliation)
	}
	if e.At.Before(p.SubmitDeadline.Add(pol.NotFoundGrace)) {
		return
	}
	if p.NotFoundCount > 0 && e.At.Sub(p.NotFoundAt) < pol.NotFoundSpacing {
		return
	}
	if p.NotFoundCount >= 1 {
		e.Code, e.Reason = ReasonNotReceived, ""
		end(d, e, Failed, FromAbsence)
		return
	}
	p.NotFoundCount, p.NotFoundAt = p.NotFoundCount+1, e.At
	d.Changed = true
}

// setPhase moves an open payment on; a held one stays held, and one the
// provider has accepted does not fall back into reconciliation.
func setPhase(d *Decision, ph Phase) {
	p := &d.Payment
	if p.Phase == ph || p.Phase == PhaseHeld || (ph == PhaseInReconciliation && p.Accepted) {
		return
	}
	p.Phase, d.Changed = ph, true
}

func end(d *Decision, e Evidence, s Status, by Source) {
	p := &d.Payment
	p.Status, p.Phase, p.EndedAt, p.EndedBy, p.Unanswerable = s, "", e.At, by, false
	p.Sequence++
	p.Reason = ""
	if s != Successful {
		p.Reason = bounded(first(e.Code, e.Reason))
	}
	p.FinancialTransactionID = bounded(e.FinancialTransactionID)
	d.Changed = true
	d.Events = append(d.Events, eventOf(s))
}

// eventOf names the announcement of an ending.
func eventOf(s Status) Event {
	switch s {
	case Successful:
		return EventSuccessful
	case Failed:
		return EventFailed
	case Timeout:
		return EventTimeout
	case Cancelled:
		return EventCancelled
	}
	return ""
}

// Ending returns the status that a verdict ends a payment with, if it does.
func (v Verdict) Ending() (Status, bool) {
	switch v {
	case SaysSuccessful:
		return Successful, true
	case SaysFailed, SaysRefused:
		return Failed, true
	case SaysCancelled:
		return Cancelled, true
	}
	return "", false
}
