package delivery

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/ledger"
)

// find picks the event out of its payment's deliveries, with the earlier one
// it has to wait for, if there is one.
func find(all []ledger.Delivery, sequence int) (d ledger.Delivery, predecessor *ledger.Delivery, ok bool) {
	for _, other := range all {
		switch {
		case other.Sequence == sequence:
			return other, predecessor, true
		case !other.State.Ended() || other.HeldForEndpoint():
			predecessor = &other
		}
	}
	return ledger.Delivery{}, nil, false
}

// successor picks the event that follows.
func successor(all []ledger.Delivery, sequence int) *ledger.Delivery {
	for _, d := range all {
		if d.Sequence > sequence && !d.State.Ended() {
			d.NextAttemptAt = time.Time{} // its turn is now
			return &d
		}
	}
	return nil
}

// behind does what can be done about an event that has to wait for an earlier
// one of its payment: an app must not learn of a correction before what it
// corrects. Behind one that is held it is held too, so that neither costs
// anything.
func (f *Forwarder) behind(ctx context.Context, w work, predecessor ledger.Delivery, now time.Time) error {
	switch {
	case w.cause == ledger.CauseProbe:
		return nil // probed with in its turn
	case w.cause == ledger.CauseManual:
		f.Log.WarnContext(ctx, "delivery.resend_refused", "event", w.d.EventID, "reason", "an earlier event of the payment is not delivered")
		return f.putBack(ctx, w.d)
	case predecessor.HeldForEndpoint():
		free, err := f.passAt(ctx, w, predecessor.Endpoint, now)
		if err != nil || !free {
			return err
		}
	}
	return f.wait(ctx, w.d, predecessor, now)
}

// putBack gives up an attempt that was asked for.
func (f *Forwarder) putBack(ctx context.Context, d ledger.Delivery) error {
	d.ManualAt = time.Time{}
	_, err := f.Ledger.PutDelivery(ctx, d)
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}

// wait puts an event off until the earlier one has had its next attempt. When
// that ends it, this one is rung for at once.
func (f *Forwarder) wait(ctx context.Context, d, predecessor ledger.Delivery, now time.Time) error {
	behind := predecessor.NextAttemptAt
	if predecessor.LeaseUntil.After(behind) {
		behind = predecessor.LeaseUntil
	}
	if behind.Before(now) {
		behind = now
	}
	d.State, d.NextAttemptAt = ledger.DeliveryWaiting, behind.Add(lease)
	_, err := f.Ledger.PutDelivery(ctx, d)
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}
