package refund

import (
	"cmp"
	"strings"
	"time"

	"momoproxy/shared/payment"
)

// Times of a refund.
const (
	// SendLasts is how long the sending of a refund may take. Until then its
	// status proves nothing, and nobody asks.
	SendLasts = time.Minute
	// Grace is how long after it was sent an operator may first say how it ended:
	// a request that lay on the way has arrived by then.
	Grace = 10 * time.Minute
	// Stuck is the age at which an operator may end one that the provider has
	// and does not end.
	Stuck = 24 * time.Hour
	// SendWithin bounds the tries of a refund that cannot leave.
	SendWithin = 24 * time.Hour

	firstCheck  = 10 * time.Second
	maxInterval = time.Hour
)

// Decision is what evidence does to a refund, and with it to its payment.
type Decision struct {
	Payment payment.Payment
	Refund  Refund
	Changed bool          // of Refund
	Event   payment.Event // of an ending; with it Payment.Sequence has gone up by one
	Anomaly payment.Anomaly
}

// Claim takes a refund to be sent. It must be stored under the version that was
// read before anything is sent: then one of many sends it. ok is false for what
// must not be sent.
func Claim(r Refund, at time.Time) (_ Refund, ok bool) {
	if r.Status != Pending || r.Kind == ByHand {
		return r, false
	}
	r.Status, r.AskedAt, r.UpdatedAt = Submitted, at, at
	r.Sends++
	r.NextCheckAt = at.Add(SendLasts)
	return r, true
}

// Checked notes a status question, before it is asked.
func Checked(r Refund, at time.Time) Refund {
	r.Checks++
	r.NextCheckAt = r.nextCheck(at)
	return r
}

// Unsent is for the sender whose claim send is, when it is certain that nothing
// has left: the refund may be sent again, under its reference. After SendWithin
// it has failed.
func Unsent(p payment.Payment, r Refund, send int, code string, at time.Time) Decision {
	d := Decision{Payment: p, Refund: r}
	if r.Status != Submitted && r.Status != Unknown || r.Accepted || r.Held || r.Sends != send {
		return d
	}
	d.Refund.Code = clean(code)
	if at.Sub(r.CreatedAt) >= SendWithin {
		d.Refund.Code = payment.ReasonNotSent
		d.end(Failed, payment.FromAbsence, at)
	} else {
		d.Refund.Status = Pending
	}
	d.changed(at)
	return d
}

// Decide is the only other way in which a refund changes once it is stored. It
// is pure and total. What must hold:
//
//   - An ending is never left.
//   - An ending needs the provider's own word for it, an answer that proves that
//     the request was not taken, or an operator's word.
//   - "Not found", a server error and no answer end nothing: the refund is
//     Unknown, and its amount stays taken.
//   - An ending about other money ends nothing: an operator has to look.
func Decide(p payment.Payment, r Refund, e payment.Evidence) Decision {
	d := Decision{Payment: p, Refund: r}
	e.Verdict = said(r, e)
	ending, ends := endingOf(e.Verdict)
	switch {
	case e.Source == payment.FromOperator && (!ends || MaySettle(r, ending, e.At) != nil),
		e.Source != payment.FromOperator && e.Source != payment.FromSubmit && e.Source != payment.FromStatus:
		return d
	case r.Status.Ended():
		if ends && ending != r.Status {
			d.Anomaly = payment.AnomalyContradiction
		}
		return d
	case r.Status == Pending && e.Source != payment.FromOperator && !knows(e.Verdict):
		return d // an answer to nothing
	case otherMoney(r, e):
		d.Anomaly = payment.AnomalyMismatch
		d.Refund.Status, d.Refund.Held, d.Refund.Accepted = Unknown, true, true
	case e.Verdict == payment.SaysRefused && r.Accepted, r.Held && ends && e.Source != payment.FromOperator:
		d.Anomaly = payment.AnomalyContradiction
		return d
	case ends:
		d.Refund.Code, d.Refund.FinancialTransactionID = "", clean(e.FinancialTransactionID)
		if ending == Failed {
			d.Refund.Code = clean(cmp.Or(e.Code, e.Reason))
		}
		d.end(ending, e.Source, e.At)
	case knows(e.Verdict):
		if e.Verdict == payment.SaysUnrecognised {
			d.Anomaly = payment.AnomalyUnrecognised
		}
		d.Refund.Accepted = true
		if !r.Held {
			d.Refund.Status = Submitted
		}
	case e.Source == payment.FromStatus && e.At.Before(r.AskedAt.Add(SendLasts)):
		return d // it may still be on its way
	case e.Verdict == payment.SaysNotFound && r.Accepted:
		d.Anomaly, d.Refund.Status = payment.AnomalyForgotten, Unknown
	case !r.Accepted:
		d.Refund.Status, d.Refund.Code = Unknown, clean(cmp.Or(e.Code, e.Reason))
	}
	if d.Refund != r {
		d.changed(e.At)
	}
	return d
}

// end ends the refund. What failed is left to be given back.
func (d *Decision) end(s Status, by payment.Source, at time.Time) {
	d.Refund.Status, d.Refund.EndedBy, d.Refund.EndedAt, d.Refund.Held = s, by, at, false
	if s == Failed {
		d.Payment.Refunds.Reserved -= d.Refund.Amount.Minor
	}
	d.Payment.Refunds.Open = ""
	d.Payment.Sequence++
	d.Payment.UpdatedAt = at
	d.Event = d.Refund.event()
}

func (d *Decision) changed(at time.Time) {
	d.Changed, d.Refund.UpdatedAt, d.Refund.NextCheckAt = true, at, d.Refund.nextCheck(at)
}

// said is the verdict, as far as its source can say it of this refund.
func said(r Refund, e payment.Evidence) payment.Verdict {
	about := e.Reference == "" || e.Reference == r.Reference
	switch v := e.Verdict; {
	case e.Source == payment.FromOperator && v != payment.SaysRefused,
		e.Source == payment.FromSubmit && v == payment.SaysRefused,
		e.Source == payment.FromStatus && v == payment.SaysNotFound,
		e.Source == payment.FromStatus && about && knows(v),
		e.Source == payment.FromSubmit && v == payment.SaysAccepted:
		return v
	}
	return payment.SaysNothing
}

func endingOf(v payment.Verdict) (Status, bool) {
	switch v {
	case payment.SaysSuccessful:
		return Successful, true
	case payment.SaysFailed, payment.SaysCancelled, payment.SaysRefused:
		return Failed, true
	}
	return "", false
}

// knows says whether the provider knows the refund.
func knows(v payment.Verdict) bool {
	switch v {
	case payment.SaysAccepted, payment.SaysPending, payment.SaysUnrecognised, payment.SaysSuccessful, payment.SaysFailed, payment.SaysCancelled:
		return true
	}
	return false
}

// otherMoney compares what the provider's status carries with the refund.
func otherMoney(r Refund, e payment.Evidence) bool {
	if e.Source != payment.FromStatus || !knows(e.Verdict) {
		return false
	}
	if e.Currency != "" && e.Currency != r.Amount.Currency {
		return true
	}
	m, err := payment.ParseReported(e.Amount, r.Amount.Currency)
	return e.Amount != "" && (err != nil || m != r.Amount)
}

// nextCheck is when a refund is next sent or asked about: 10 s, 20 s, 40 s, …
// apart, then hourly, and daily after a week. It never stops while it is open.
func (r Refund) nextCheck(now time.Time) time.Time {
	age := max(now.Sub(r.CreatedAt), 0)
	switch {
	case !r.Open():
		return time.Time{}
	case age > 7*24*time.Hour:
		return now.Add(24 * time.Hour)
	}
	return now.Add(min(min(age, maxInterval)+firstCheck, maxInterval))
}

// clean bounds a provider's text, in bytes.
func clean(s string) string {
	if s = strings.ToValidUTF8(s, ""); len(s) > payment.MaxReason {
		s = strings.ToValidUTF8(s[:payment.MaxReason], "")
	}
	return s
}
