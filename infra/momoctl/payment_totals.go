package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

type totalsView struct {
	From      time.Time   `json:"from"`
	Totals    []totalView `json:"totals"`
	Truncated bool        `json:"truncated"` // there are more payments than were counted
}

// totalView counts payments of one account in one currency and status.
type totalView struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	Status   string `json:"status"`
	Payments int    `json:"payments"`
	Amount   string `json:"amount"`
	minor    int64
}

// maxTotalled bounds the pages that totals read: 20,000 payments.
const maxTotalled = 200

func (c cli) paymentTotals() *cobra.Command {
	var client, since string
	command := &cobra.Command{
		Use: "totals", Short: "how many payments, and how much money, by account and status",
		Long: `Counts the payments made since a time, midnight in UTC if none is given, and adds up their
amounts, by account, currency and status. It reads at most 20,000 payments, and says when
there are more.`,
		Example: "  momoctl payment totals\n  momoctl payment totals --since 7d --client cli_0a1b",
		Args:    takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			_, err := readTime("since", since, c.now())
			return err
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error {
			from, err := readTime("since", cmp.Or(since, s.now().UTC().Format(time.DateOnly)), s.now())
			if err != nil {
				return err
			}
			if client != "" {
				if err := s.known(ctx, client); err != nil {
					return err
				}
			}
			return s.showTotals(ctx, client, from)
		}),
	}
	command.Flags().StringVar(&client, "client", "", "of the client with this `id`")
	command.Flags().StringVar(&since, "since", "", "made at this `time` or later")
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) showTotals(ctx context.Context, client string, from time.Time) error {
	walk := walker[ledger.Payment]{session: s, client: client, fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.ListPayments(ctx, client, ledger.PaymentFilter{From: from}, p)
	}}
	byKind := map[totalView]*totalView{}
	v := totalsView{From: from, Totals: []totalView{}, Truncated: true}
	var at position
	for range maxTotalled {
		found, next, done, err := walk.page(ctx, at, ledger.MaxListed)
		if err != nil {
			return err
		}
		for _, p := range found {
			kind := totalView{Account: p.AccountID(), Currency: p.Amount.Currency, Status: string(p.Status)}
			if byKind[kind] == nil {
				byKind[kind] = &totalView{}
			}
			byKind[kind].Payments++
			byKind[kind].minor += p.Amount.Minor
		}
		if at, v.Truncated = next, !done; done {
			break
		}
	}
	for kind, sum := range byKind {
		kind.Payments, kind.Amount = sum.Payments, payment.Money{Minor: sum.minor, Currency: kind.Currency}.Decimal()
		v.Totals = append(v.Totals, kind)
	}
	slices.SortFunc(v.Totals, func(a, b totalView) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Status, b.Status))
	})
	return s.answer(v, func(t *text) {
		rows := [][]string{{"ACCOUNT", "CURRENCY", "STATUS", "PAYMENTS", "AMOUNT"}}
		for _, k := range v.Totals {
			rows = append(rows, []string{k.Account, k.Currency, k.Status, fmt.Sprint(k.Payments), k.Amount})
		}
		t.list("payments", rows)
		if v.Truncated {
			t.line("There are more: these are lower bounds.")
		}
	})
}
