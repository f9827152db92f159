package forwarder

import (
	"context"
	"time"

	"momoproxy/shared/delivery"
)

// behind does what can be done about an event that has to wait for an earlier
// one of its payment: an app must not learn of a correction before what it
// corrects. Behind one that is held it is held too, so that neither costs
// anything.
func (f *Forwarder) behind(ctx context.Context, w work, predecessor delivery.Delivery, now time.Time) error {
	switch {
	case w.cause == delivery.CauseProbe:
		return nil // the sweeper probes with it later
	case w.cause == delivery.CauseManual:
		f.Log.WarnContext(ctx, "delivery.resend_refused", "event", w.d.EventID, "reason", "an earlier event of the payment is not delivered")
		_, err := f.save(ctx, w.d.Cancel())
		return err
	case predecessor.HeldForEndpoint():
		free, err := f.passAt(ctx, w, predecessor.Endpoint, now)
		if err != nil || !free {
			return err
		}
	}
	// When the earlier one ends, this one is rung for at once.
	_, err := f.save(ctx, w.d.WaitFor(predecessor, now, lease))
	return err
}
