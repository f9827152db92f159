package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

type refundList struct {
	Refunds []refundView `json:"refunds"`
	Next    string       `json:"next,omitempty"`
}

func (c cli) refundList() *cobra.Command {
	var client string
	var page pageFlags
	command := &cobra.Command{
		Use: "list", Short: "list refunds that need an operator",
		Long: `Lists the refunds that wait for a person, oldest first: those whose outcome nobody knows,
those that are held because the provider told of other money, and those that the provider
has not ended within a day. Look for SENT AS in the provider's portal, then end them with
refund settle. The refunds of one payment are in payment show.`,
		Example: `  momoctl refund list
  momoctl refund list --client cli_0a1b -o csv`,
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error { return page.check() },
		RunE:    c.over(func(ctx context.Context, s *session, _ []string) error { return s.listRefunds(ctx, client, page) }),
	}
	command.Flags().StringVar(&client, "client", "", "of the client with this `id`")
	page.add(command)
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) listRefunds(ctx context.Context, client string, page pageFlags) error {
	if client != "" {
		if err := s.known(ctx, client); err != nil {
			return err
		}
	}
	walk := walker[ledger.Refund]{session: s, client: client, one: true, fetch: s.person().RefundsWaiting}
	found, next, err := walk.collect(ctx, page)
	if err != nil {
		return badCursor("after", err)
	}
	list := refundList{Refunds: []refundView{}, Next: next}
	for _, f := range found {
		list.Refunds = append(list.Refunds, viewOfRefund(f))
	}
	err = s.answer(list, func(t *text) {
		rows := [][]string{{"REFERENCE", "REFUND", "ASKED FOR", "CLIENT", "AMOUNT", "STATUS", "SENT AS", "ANSWER"}}
		for _, f := range found {
			rows = append(rows, []string{
				f.Payment, f.ID, short(f.CreatedAt), f.ClientID, f.Amount.String(), refundState(f), f.Reference, orDash(f.Code),
			})
		}
		t.list("refunds", rows)
		if len(found) > 0 {
			t.line("")
			t.line("The oldest has waited for %s.", ago(s.now().Sub(found[0].CreatedAt).Truncate(time.Second)))
		}
	})
	if err == nil && !s.json {
		s.more(next)
	}
	return err
}
