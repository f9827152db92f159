package payment

import "time"

// Decide is the only way a payment's state changes. It is pure and total:
// any evidence about any payment gives a decision, and the same evidence
// again gives one that changes nothing. What must hold:
//
//   - SUCCESSFUL is never left.
//   - FAILED, TIMEOUT and CANCELLED are left only for SUCCESSFUL, only by the
//     provider's own status answer.
//   - An ending needs evidence of it, our clock past the window (TIMEOUT), or
//     spaced answers that the provider never received it (FAILED).
//   - Evidence that names another payment says nothing of this one; a
//     signature counts only for the payment that the signed body names.
//   - Evidence whose amount, currency or payer differ ends nothing. It holds
//     an open payment, and a held one is ended by an operator alone.
func Decide(p Payment, e Evidence, pol Policy) Decision {
	d := Decision{Payment: p}
	if !meant(e) {
		e.Verdict = SaysNothing
	}
	e = weigh(p, e)
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
		if soon := e.At.Add(pol.FirstCheck); askable(p, d.Payment) && d.Payment.NextCheckAt.After(soon) {
			d.Payment.NextCheckAt = soon
		}
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

// askable says whether an open payment has just got its first id from the
// provider. Questions that need an id can be asked from now on.
func askable(before, after Payment) bool {
	return after.Open() && len(before.IDs) == 0 && len(after.IDs) > 0
}

// nextCheck: evidence about an open payment never postpones a planned check. It
// also spares the due index a move when, as mostly, the payment succeeded.
func nextCheck(before, after Payment, now time.Time, pol Policy) time.Time {
	next := pol.NextCheck(after, now)
	if after.Open() && before.NextCheckAt.After(now) && before.NextCheckAt.Before(next) {
		return before.NextCheckAt
	}
	return next
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
		end(d, e, Successful, e.Source, nil)
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
	case e.Verdict == SaysRefused && p.Checks > 0:
		// Somebody has asked since. That may have made the request again, and a
		// refusal of the first says nothing of the second.
		d.Anomaly = AnomalyRefusedLate
		setPhase(d, PhaseInReconciliation)
		return
	case ends:
		end(d, e, ending, e.Source, pol.Failures)
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
		end(d, e, Timeout, FromClock, pol.Failures)
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
		end(d, e, Failed, FromAbsence, pol.Failures)
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

func end(d *Decision, e Evidence, s Status, by Source, codes FailureCodes) {
	p := &d.Payment
	p.Status, p.Phase, p.EndedAt, p.EndedBy, p.Unanswerable = s, "", e.At, by, false
	p.Sequence++
	p.Reason, p.FailureCode = "", ""
	if s != Successful {
		p.Reason, p.FailureCode = bounded(first(e.Code, e.Reason)), codes.of(e, s, by)
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
