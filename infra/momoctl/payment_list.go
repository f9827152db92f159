package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

type paymentList struct {
	Payments []paymentView `json:"payments"`
	Next     string        `json:"next,omitempty"`
}

// paymentQuestion is what the flags of payment list say.
type paymentQuestion struct {
	client, externalID string
	statuses           []string
	attention          bool
	window             window
	page               pageFlags
}

func statusWords() []string {
	var words []string
	for _, s := range payment.Statuses {
		words = append(words, string(s))
	}
	return words
}

func (c cli) paymentList() *cobra.Command {
	var q paymentQuestion
	command := &cobra.Command{
		Use: "list", Short: "list payments",
		Long: `Lists a client's payments, newest first, or those of all clients, client by client. With
--attention those that wait for a person or for the provider's word, oldest first:
held, and in_reconciliation.`,
		Example: `  momoctl payment list --attention
  momoctl payment list --client cli_0a1b --since 2h --status FAILED,TIMEOUT
  momoctl payment list --external-id ORDER-98765`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			for i, word := range q.statuses {
				q.statuses[i] = strings.ToUpper(word)
				if err := oneOf("status", q.statuses[i], statusWords()); err != nil {
					return err
				}
			}
			if q.attention && (q.externalID != "" || len(q.statuses) > 0 || q.window != (window{})) {
				return usageError("--attention goes with --client alone")
			}
			if _, _, err := q.window.read(c.now()); err != nil {
				return err
			}
			return q.page.check()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.listPayments(ctx, q) }),
	}
	f := command.Flags()
	f.StringVar(&q.client, "client", "", "of the client with this `id`")
	f.StringVar(&q.externalID, "external-id", "", "with this order `id`")
	f.StringSliceVar(&q.statuses, "status", nil, "in one of these `statuses`, by commas")
	f.BoolVar(&q.attention, "attention", false, "that are held or whose outcome is not known")
	q.window.add(command, "made")
	q.page.add(command)
	completeFlag(command, "client", c.clientIDs)
	completeFlag(command, "status", fixed(statusWords()))
	return command
}

func (s *session) listPayments(ctx context.Context, q paymentQuestion) error {
	since, until, err := q.window.read(s.now())
	if err != nil {
		return err
	}
	filter := ledger.PaymentFilter{ExternalID: q.externalID, From: since, To: until}
	for _, word := range q.statuses {
		filter.Statuses = append(filter.Statuses, payment.Status(word))
	}
	if q.client != "" {
		if err := s.known(ctx, q.client); err != nil {
			return err
		}
	}
	fetch := func(ctx context.Context, client string, limit int, cursor string) ([]ledger.Payment, string, error) {
		return s.ledger.ListPayments(ctx, client, filter, limit, cursor)
	}
	if q.attention {
		fetch = s.ledger.PaymentsWaiting
	}
	walk := walker[ledger.Payment]{session: s, client: q.client, one: q.attention, fetch: fetch}
	found, next, err := walk.collect(ctx, q.page)
	if err != nil {
		return badCursor("after", err)
	}
	list := paymentList{Payments: []paymentView{}, Next: next}
	for _, p := range found {
		list.Payments = append(list.Payments, viewOfPayment(p))
	}
	err = s.answer(list, func(t *text) {
		rows := [][]string{{"REFERENCE", "CREATED", "CLIENT", "ORDER", "AMOUNT", "PROVIDER", "STATUS", "REASON"}}
		for _, p := range found {
			status := string(p.Status)
			if p.Phase != "" {
				status += " " + string(p.Phase)
			}
			rows = append(rows, []string{
				p.Reference, short(p.CreatedAt), p.ClientID, p.ExternalID, p.Amount.String(),
				strings.TrimSpace(p.Provider + " " + p.Method), status, orDash(p.Reason),
			})
		}
		t.table(rows...)
		if q.attention && len(found) > 0 {
			t.line("")
			t.line("The oldest has waited for %s.", ago(s.now().Sub(found[0].CreatedAt).Truncate(time.Second)))
		}
	})
	if err == nil && !s.json {
		s.more(next)
	}
	return err
}
