package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"momoproxy/infra/operator"
	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/ledger"
)

func (c cli) deliveryResend() *cobra.Command {
	return &cobra.Command{
		Use: "resend REFERENCE SEQUENCE", Short: "deliver an event again, or now",
		Long: `Makes one attempt now, beside the schedule: if it fails, the delivery stays what it was.
One that is held for something else than its endpoint is let go instead. The app receives
the same bytes under the same webhook-id, so that it can tell a repetition. Nothing is
sent to a disabled endpoint: see endpoint enable. An event that would only be held again,
for want of a callback URL or a signing secret, is refused.`,
		Example: `  momoctl delivery resend 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 1`,
		Args:    takes(checkEvent),
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			return s.resend(ctx, args[0], sequenceOf(args))
		}),
	}
}

func (s *session) resend(ctx context.Context, reference string, sequence int) error {
	d, err := s.delivery(ctx, reference, sequence)
	if err != nil {
		return err
	}
	if lacks, err := s.lacks(ctx, d); err != nil {
		return err
	} else if lacks != "" {
		return refused("not sent: event %d would be held again at once, since %s", sequence, lacks)
	}
	d, err = s.person().MakeDue(ctx, d, "resend")
	if errors.Is(err, delivery.ErrUnderway) {
		return fmt.Errorf("event %d goes on by itself: it is being attempted, an attempt has been asked for, or an earlier event of the payment comes first (%w)", sequence, err)
	}
	if errors.Is(err, ledger.ErrEndpointDisabled) {
		return fmt.Errorf("%w; \"momoctl endpoint enable\" comes first", err)
	}
	if err != nil {
		return err
	}
	s.person().Ring(ctx, d)
	return s.answer(viewOfDelivery(d, true), func(t *text) {
		t.line("Event %d of payment %s (%s, %s) is due now.", d.Sequence, d.Reference, d.Event, d.EventID)
	})
}

// lacks says what an event cannot be sent without, and how to give it that;
// empty: nothing.
func (s *session) lacks(ctx context.Context, d delivery.Delivery) (string, error) {
	lack, err := s.person().Lacks(ctx, d)
	switch lack {
	case operator.App:
		return fmt.Sprintf("there is no client %s any more", d.ClientID), nil
	case operator.Readable:
		return fmt.Sprintf("what client %s has sealed cannot be opened with any of the sealing keys", d.ClientID), nil
	case operator.CallbackURL:
		return fmt.Sprintf("there is no callback URL, of the payment or of client %[1]s; \"momoctl client set-callback-url %[1]s URL\" comes first", d.ClientID), nil
	case operator.Secret:
		return fmt.Sprintf("client %[1]s has no signing secret; \"momoctl client rotate-secret %[1]s\" comes first", d.ClientID), nil
	}
	return "", err
}

// person is who does what this session does by hand.
func (s *session) person() operator.Operator {
	return operator.Operator{Name: s.operator, Ledger: s.ledger, Queue: s.queue, Now: s.now, Log: s.log}
}

func (s *session) doorbell() forwarder.Doorbell {
	return forwarder.Doorbell{Queue: s.queue, Now: s.now}
}
