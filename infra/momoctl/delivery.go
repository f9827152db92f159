package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
)

var deliveryResend = &command{
	name: "delivery resend", args: []string{"REFERENCE", "SEQUENCE"}, short: "deliver an event again, or now",
	long: `One attempt is made now, beside the schedule: when it fails, the event stays what it
was. Only an event that is held for something else than its endpoint goes on with its
schedule. The app receives the same bytes under the same webhook-id, so that it can tell
a repetition. A disabled endpoint has to be enabled first.`,
	check: func(c *call) error {
		if err := checkReference(c); err != nil {
			return err
		}
		if n, err := strconv.Atoi(c.args[1]); err != nil || n < 1 {
			return usageError("SEQUENCE is the number of the event, from 1; payment show lists them")
		}
		return nil
	},
	run: resend,
}

func resend(ctx context.Context, s *session) error {
	reference := s.args[0]
	sequence, err := strconv.Atoi(s.args[1])
	if err != nil {
		return err
	}
	d, err := s.ledger.Delivery(ctx, reference, sequence)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("event %d of payment %s is %w", sequence, reference, err)
	}
	if err != nil {
		return err
	}
	now := s.clock()
	d, err = s.ledger.ResendDelivery(ctx, d, now, ledger.AuditRecord{
		At: now, Direction: ledger.InboundFromApp, Reference: reference, ClientID: d.ClientID,
		Method: gateway.OperatorMethod, URL: "resend", Note: fmt.Sprintf("operator %s: event %d, it was %s", s.operator, sequence, d.State),
	})
	if errors.Is(err, ledger.ErrUnderway) {
		return fmt.Errorf("event %d goes on by itself: it is being attempted right now, or an earlier event of the payment comes first (%w)", sequence, err)
	}
	if err != nil {
		return err
	}
	if err := s.doorbell(s.now).Ring(ctx, d); err != nil {
		// It is due in the table, and the sweeper rings.
		s.log.WarnContext(ctx, "doorbell.lost, the attempt comes with the next reconcile run", "error", err.Error())
	}
	if s.json {
		return s.printJSON(viewOfDelivery(d))
	}
	t := &text{}
	t.line("Event %d of payment %s (%s, %s) is due now.", d.Sequence, d.Reference, d.Event, d.EventID)
	return s.print(t)
}
