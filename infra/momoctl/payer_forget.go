package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// forgetAfter is how long an ended payment keeps its payer: until then it may
// be questioned, refunded, or asked about at the provider.
const forgetAfter = 90 * 24 * time.Hour

type forgottenView struct {
	Payer     string   `json:"payer"`
	Forgotten []string `json:"forgotten"` // references
	Kept      []string `json:"kept"`      // open, or ended too short a time ago
}

func (c cli) payerForget() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "forget NUMBER", Short: "erase a phone number from payments that ended over 90 days ago",
		Long: `Puts 000000000000 in the place of a phone number in payments that ended over 90 days ago:
in the payment, what the app wrote into it, its events and its audit records. Amounts,
times, ids and the provider's words stay. It cannot be taken back. Payments that are open
or ended later keep the number and are listed: run it again when they are old enough. An
interrupted run can be repeated.

It does not reach backups, log lines, order ids, requests that made no payment, and
callbacks that matched nothing (docs/security.md).`,
		Example: "  momoctl payer forget 26876123456",
		Args: takes(func(args []string) error {
			_, err := readPayer("NUMBER", args[0])
			return err
		}),
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			payer, _ := readPayer("NUMBER", args[0]) // it was checked
			return s.forget(ctx, payer, yes)
		}),
	}
	yesFlag(command, &yes)
	return command
}

func (s *session) forget(ctx context.Context, payer payment.MSISDN, yes bool) error {
	v := forgottenView{Payer: payer.Masked(), Forgotten: []string{}, Kept: []string{}}
	old, err := s.ofPayer(ctx, payer, &v)
	if err != nil {
		return err
	}
	if len(old) > 0 && !yes {
		if err := s.confirm(func(t *text) {
			t.line("%s of %s lose the number for good; %d keep it for now.", plural(len(old), "payment"), payer, len(v.Kept))
		}); err != nil {
			return err
		}
	}
	for _, reference := range old {
		err := s.ledger.ForgetPayer(ctx, reference, ledger.AuditRecord{
			At: s.clock(), Direction: ledger.InboundFromApp, Reference: reference, Method: gateway.OperatorMethod, URL: "payer/forget",
			Note: "operator " + s.operator,
		})
		if err != nil {
			return fmt.Errorf("%d of %d payments are done: %w", len(v.Forgotten), len(old), err)
		}
		v.Forgotten = append(v.Forgotten, reference)
	}
	return s.answer(v, func(t *text) {
		t.line("%s of %s lost the number.", plural(len(v.Forgotten), "payment"), v.Payer)
		for _, reference := range v.Kept {
			t.line("  %s keeps it: it is open, or ended less than 90 days ago", reference)
		}
	})
}

// ofPayer lists the payments of a number that are old enough, and notes those
// that are not.
func (s *session) ofPayer(ctx context.Context, payer payment.MSISDN, v *forgottenView) (old []string, err error) {
	for at := (ledger.Paging{Limit: ledger.MaxListed}); ; {
		page, err := s.ledger.ListPayments(ctx, "", ledger.PaymentFilter{Payer: payer}, at)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Items {
			if !p.Open() && s.now().Sub(p.EndedAt) > forgetAfter {
				old = append(old, p.Reference)
			} else {
				v.Kept = append(v.Kept, p.Reference)
			}
		}
		if at.Cursor = page.Next; page.Next == "" {
			return old, nil
		}
	}
}
