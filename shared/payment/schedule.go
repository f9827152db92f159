package payment

import "time"

// Policy holds the time limits of a provider's method. Every field is
// positive, but InvoiceFor.
type Policy struct {
	// FirstCheck is the wait before the first status question; the waits
	// then double with the payment's age up to MaxInterval.
	FirstCheck  time.Duration
	MaxInterval time.Duration
	// Window: a payment still open at this age becomes TIMEOUT, or when it
	// expires by the provider's word, if that is later.
	Window time.Duration
	// LateInterval spaces the checks after TIMEOUT. The last one comes at age
	// GiveUp (counted, like Window, from a later expiry), as does the last of
	// a held payment.
	LateInterval time.Duration
	GiveUp       time.Duration
	// InvoiceFor is how long after a success its invoice is asked for; 0:
	// the method has none.
	InvoiceFor time.Duration
	// NotFoundGrace counts from the submit deadline: an earlier "not found"
	// proves nothing. NotFoundSpacing lies between two that count.
	NotFoundGrace   time.Duration
	NotFoundSpacing time.Duration
	// Failures is what the provider's codes mean.
	Failures FailureCodes
}

// NextCheck returns when reconciliation asks about p again, seen from now;
// zero when nothing is left to ask. It depends on the payment's age alone, so
// a lost or repeated check changes nothing: 10 s, 20 s, 40 s, … apart, then
// hourly to the window, then daily to the end (with MTN's policy).
func (pol Policy) NextCheck(p Payment, now time.Time) time.Time {
	age := max(now.Sub(p.CreatedAt), 0)
	open := p.Open() && p.Phase != PhaseHeld
	switch {
	case p.Status == Successful:
		return pol.nextForInvoice(p, now)
	case p.Open() && p.Unanswerable:
		return time.Time{}
	case !now.Before(pol.giveUp(p)) && !open:
		// An open payment is never given up: after an outage however long,
		// the next question must still end it.
		return time.Time{}
	case pol.doubted(p, now):
		return now.Add(pol.afterHint(p, now))
	case p.EndedBy == FromClock || p.EndedBy == FromAbsence:
		return earlier(now.Add(pol.LateInterval), pol.giveUp(p))
	case p.Status.Ended():
		// The provider itself named this ending; only our own conclusions
		// are worth asking about again.
		return time.Time{}
	}
	wait := min(min(age, pol.MaxInterval)+pol.FirstCheck, pol.MaxInterval) // age may be the longest Duration
	next := now.Add(wait)
	if p.NotFoundCount > 0 && p.Phase != PhaseHeld {
		// Do not let doubling waits delay the answer an app waits for. A held
		// payment is not ended by a second "not found".
		next = earlier(next, now.Add(pol.NotFoundSpacing))
	}
	if !p.HintedAt.IsZero() {
		next = earlier(next, now.Add(pol.afterHint(p, now)))
	}
	if end := pol.end(p); next.After(end) && now.Before(end) {
		next = end
	}
	return next
}

// end is when an open payment becomes TIMEOUT.
func (pol Policy) end(p Payment) time.Time {
	end := p.CreatedAt.Add(pol.Window)
	if p.ExpiresAt.After(end) {
		end = p.ExpiresAt
	}
	return end
}

// giveUp is when asking about what our clock has ended stops.
func (pol Policy) giveUp(p Payment) time.Time { return pol.end(p).Add(pol.GiveUp - pol.Window) }

// nextForInvoice is when a payment that succeeded is asked about for its
// invoice: as an open payment is, by the time since it ended. An operator's
// word is not waited behind: the provider knows nothing of it.
func (pol Policy) nextForInvoice(p Payment, now time.Time) time.Time {
	since := max(now.Sub(p.EndedAt), 0)
	if p.InvoiceURL != "" || p.EndedBy == FromOperator || since >= pol.InvoiceFor {
		return time.Time{}
	}
	return now.Add(min(min(since, pol.MaxInterval)+pol.FirstCheck, pol.MaxInterval))
}

// afterHint is the wait while the provider's status lags behind its own
// callback (seen at MTN): it starts over short at the callback.
func (pol Policy) afterHint(p Payment, now time.Time) time.Duration {
	since := min(max(now.Sub(p.HintedAt), 0), pol.MaxInterval)
	return min(since+pol.FirstCheck/2, pol.MaxInterval)
}

// doubted says whether the provider's own callback has lately claimed the
// success of a payment that ended otherwise.
func (pol Policy) doubted(p Payment, now time.Time) bool {
	return p.Status.Ended() && p.Status != Successful && !p.HintedAt.IsZero() &&
		!p.HintedAt.Before(p.EndedAt) && now.Sub(p.HintedAt) < pol.MaxInterval
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
