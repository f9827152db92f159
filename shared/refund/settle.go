package refund

import (
	"errors"
	"time"
)

// Sentinels of MaySettle, to be tested with errors.Is.
var (
	ErrEnded = errors.New("the refund has ended otherwise")
	// ErrUnderway: the request may still be on its way, or the provider has the
	// refund and works on it.
	ErrUnderway = errors.New("the provider may still execute the refund")
)

// NeedsOperator says whether an operator has to look: its outcome is unknown, or
// it has been asked about for Stuck and has not ended.
func (r Refund) NeedsOperator() bool {
	since := r.AskedAt
	if since.IsZero() {
		since = r.CreatedAt
	}
	return r.Status == Unknown || r.Open() && r.NextCheckAt.Sub(since) >= Stuck+maxInterval
}

// MaySettle says whether an operator may end a refund so. What was never sent
// can be called off at once, and what is only recorded has succeeded at once.
func MaySettle(r Refund, s Status, at time.Time) error {
	since := at.Sub(r.AskedAt)
	switch {
	case r.Status == s:
		return nil
	case r.Status.Ended():
		return ErrEnded
	case r.Kind == ByHand || r.Status == Pending && s == Failed:
		return nil
	case r.Status == Pending, since < Grace, r.Status == Submitted && since < Stuck:
		return ErrUnderway
	}
	return nil
}
