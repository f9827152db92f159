package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"momoproxy/infra/operator"
	"momoproxy/shared/ledger"
	"momoproxy/shared/refund"
)

type (
	paidTwiceList struct {
		Orders []paidTwiceView `json:"orders"`
	}
	// paidTwiceView is an order that is paid twice, with its payments by the time
	// of their ending. GiveBack is the reference of the later one.
	paidTwiceView struct {
		ClientID   string        `json:"clientId"`
		ExternalID string        `json:"externalId"`
		Payments   []paymentView `json:"payments"`
		GiveBack   string        `json:"giveBack"`
	}
)

// paidTwiceSince is how far back payment paid-twice looks.
const paidTwiceSince = "7d"

func (c cli) paymentPaidTwice() *cobra.Command {
	var client, since, giveBack string
	in := refundOrder{kind: refund.ByRefund}
	command := &cobra.Command{
		Use: "paid-twice", Short: "list orders that are paid twice, and give one payment back",
		Long: `Lists the orders that have two payments that succeeded, one of them since a time: 7d if none
is given. A payment that is given back, or about to be, is not counted. It reads every payment that
ended in that time. The later payment of an order is the one to be given back, unless you
know better.

With --refund REFERENCE it asks for the refund of one of the two, all that is left of it, as
refund request does: it asks no provider, and the reconciler sends it within a minute. Where
the provider has no refund call, it names the command that books what you give back by hand.`,
		Example: `  momoctl payment paid-twice
  momoctl payment paid-twice --refund 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90`,
		Args: takes(nil),
		PreRunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("refund") {
				if client != "" || since != "" || c.output == outputCSV {
					return usageError("--refund goes with --yes alone: it lists nothing")
				}
				return checkReference([]string{giveBack})
			}
			_, err := readTime("since", since, c.now())
			return err
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			if giveBack != "" {
				return s.refundPaidTwice(ctx, strings.ToLower(giveBack), in)
			}
			from, err := readTime("since", cmp.Or(since, paidTwiceSince), s.now())
			if err != nil {
				return err
			}
			if client != "" {
				if err := s.known(ctx, client); err != nil {
					return err
				}
			}
			return s.listPaidTwice(ctx, client, from)
		}),
	}
	f := command.Flags()
	f.StringVar(&client, "client", "", "of the client with this `id`")
	f.StringVar(&since, "since", "", "of which a payment ended at this `time` or later (default "+paidTwiceSince+")")
	f.StringVar(&giveBack, "refund", "", "give back the payment with this `reference`, whose order is paid twice")
	yesFlag(command, &in.yes)
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) listPaidTwice(ctx context.Context, client string, from time.Time) error {
	var found []operator.PaidTwice
	seen := map[string]bool{}
	err := s.ended(ctx, client, from, s.clock().Add(time.Millisecond), func(p ledger.Payment) error {
		twice, ok, err := s.person().PaidTwice(ctx, p)
		if ok && !seen[twice.First.Reference] {
			seen[twice.First.Reference] = true
			found = append(found, twice)
		}
		return err
	})
	if err != nil {
		return err
	}
	list := paidTwiceList{Orders: []paidTwiceView{}}
	for _, o := range found {
		list.Orders = append(list.Orders, paidTwiceView{
			ClientID: o.First.ClientID, ExternalID: o.First.ExternalID, GiveBack: o.Second.Reference,
			Payments: []paymentView{viewOfPayment(o.First), viewOfPayment(o.Second)},
		})
	}
	return s.answer(list, func(t *text) {
		rows := [][]string{{"ORDER", "CLIENT", "PAID", "AMOUNT", "ENDED", "PAID AGAIN", "AMOUNT", "ENDED"}}
		for _, o := range found {
			rows = append(rows, []string{
				o.First.ExternalID, o.First.ClientID, o.First.Reference, o.First.Amount.String(), short(o.First.EndedAt),
				o.Second.Reference, o.Second.Amount.String(), short(o.Second.EndedAt),
			})
		}
		t.list("orders paid twice", rows)
		if len(found) > 0 {
			t.line("")
			t.line("Give the later payment back: momoctl payment paid-twice --refund %s", found[0].Second.Reference)
		}
	})
}

// refundPaidTwice asks for the refund of one of two payments of an order.
func (s *session) refundPaidTwice(ctx context.Context, reference string, in refundOrder) error {
	story, err := s.story(ctx, reference)
	if err != nil {
		return err
	}
	p := story.Payment
	twice, ok, err := s.person().PaidTwice(ctx, p)
	if err != nil {
		return err
	}
	if !ok {
		return refused("not done: order %s of %s is not paid twice, or one of its payments is given back or about to be", p.ExternalID, p.ClientID)
	}
	other := twice.First
	if other.Reference == reference {
		other = twice.Second
	}
	in.id, in.reason = uuid.NewString(), fmt.Sprintf("The order was paid twice; payment %s stays", other.Reference)
	return s.giveBack(ctx, reference, in, fmt.Sprintf("Order %s is paid twice: payment %s of %s, which ended at %s, stays.",
		p.ExternalID, other.Reference, other.Amount, stamp(other.EndedAt)))
}
