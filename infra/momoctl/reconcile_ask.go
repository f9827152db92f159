package main

import (
	"context"
	"errors"
	"time"

	"momoproxy/infra/statement"
	"momoproxy/shared/gateway"
	"momoproxy/shared/payment"
)

const (
	// askAgain is how long a question waits that the provider's limit does not
	// allow, and mostAsked how often it is tried.
	askAgain  = 3 * time.Second
	mostAsked = 10
)

// ask asks the provider about the payment of a difference, if that was wanted and
// can help, and compares anew. Its answer alone has corrected what then agrees.
func (r *reconciliation) ask(ctx context.Context, d *difference, row statement.Row) error {
	if !r.apply || !askable[d.Kind] {
		return nil
	}
	err := gateway.ErrPostponed
	for try := 0; errors.Is(err, gateway.ErrPostponed) && try < mostAsked; try++ {
		if try > 0 {
			if err := r.sleep(ctx, askAgain); err != nil {
				return err
			}
		}
		_, err = r.asking.Check(ctx, d.Reference)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, gateway.ErrPostponed):
		d.Answer = "not now: the provider's request limit is spent"
		return nil
	case errors.Is(err, gateway.ErrSubmitting):
		d.Answer = "not now: the request that made it is still under way"
		return nil
	case errors.Is(err, gateway.ErrUnanswered):
		d.Asked, d.Answer = true, "no usable answer"
		return nil
	case err != nil:
		d.Answer = err.Error()
		return nil
	}
	story, err := r.ledger.Story(ctx, d.Reference)
	if err != nil {
		return err
	}
	after := d.beside(story)
	after.Asked, after.Answer = true, string(story.Payment.Status)
	if d.Kind != notInFile {
		left := compare(row, story, r.account, r.refunds[d.Reference])
		// The event of a correction is on its way.
		after.Corrected = left == nil || left.Kind == notTold || left.Kind == toldOtherwise
	} else {
		after.Corrected = story.Payment.Status != payment.Successful
	}
	*d = after
	return nil
}
