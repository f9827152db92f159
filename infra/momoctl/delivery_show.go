package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

type deliveryStory struct {
	Delivery deliveryView  `json:"delivery"`
	Attempts []attemptView `json:"attempts"`
}

func (c cli) deliveryShow() *cobra.Command {
	return &cobra.Command{
		Use: "show REFERENCE SEQUENCE", Short: "show a delivery, its attempts and what is sent",
		Long: `Shows the delivery of one event: where it stands, every attempt with the beginning of the
app's answer, and the body that is sent. The payer's number is in the body.`,
		Example: `  momoctl delivery show 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 1`,
		Args:    takes(checkEvent),
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			return s.showDelivery(ctx, args[0], sequenceOf(args))
		}),
	}
}

// checkEvent looks at a reference and a sequence.
func checkEvent(args []string) error {
	if err := checkReference(args); err != nil {
		return err
	}
	if sequenceOf(args) < 1 {
		return usageError("SEQUENCE is the number of the event, from 1; payment show lists them")
	}
	return nil
}

// sequenceOf reads the second argument; 0 is none.
func sequenceOf(args []string) int {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return 0
	}
	return n
}

// delivery reads one delivery.
func (s *session) delivery(ctx context.Context, reference string, sequence int) (delivery.Delivery, error) {
	d, err := s.ledger.Delivery(ctx, strings.ToLower(reference), sequence)
	if errors.Is(err, ledger.ErrNotFound) {
		return d, fmt.Errorf("event %d of payment %s is %w", sequence, reference, err)
	}
	return d, err
}

func (s *session) showDelivery(ctx context.Context, reference string, sequence int) error {
	d, err := s.delivery(ctx, reference, sequence)
	if err != nil {
		return err
	}
	story, err := s.story(ctx, reference)
	if err != nil {
		return err
	}
	v := deliveryStory{viewOfDelivery(d, true), []attemptView{}}
	for _, a := range story.Attempts {
		if a.Sequence == sequence {
			v.Attempts = append(v.Attempts, viewOfAttempt(a))
		}
	}
	return s.answer(v, func(t *text) {
		t.line("Event %d of payment %s is %s", d.Sequence, d.Reference, stateOf(d))
		t.line("  event       %s, %s", d.Event, d.EventID)
		t.line("  client      %s", d.ClientID)
		t.line("  came about  %s", stamp(d.CreatedAt))
		if d.URL != "" {
			t.line("  goes to     %s", withoutQuery(d.URL))
		} else {
			t.line("  goes to     the client's callback URL")
		}
		t.line("")
		for _, a := range v.Attempts {
			t.line("Attempt %d, %s, %s%s%s", a.Number, a.Cause, stamp(a.StartedAt),
				outcomeOf(a.Code, time.Duration(a.DurationMS)*time.Millisecond), because(a.Error))
			if a.Location != "" {
				t.line("  redirects to %s", a.Location)
			}
			if a.TLSFault != "" {
				t.line("  TLS fault: %s", a.TLSFault)
			}
			if a.Excerpt != "" {
				t.line("  %s", a.Excerpt)
			}
		}
		if len(v.Attempts) == 0 {
			t.line("No attempts")
		}
		t.line("")
		t.line("Body")
		t.line("  %s", d.Body)
	})
}
