package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
)

type checkView struct {
	Answered bool        `json:"answered"`
	Changed  bool        `json:"changed"`
	Payment  paymentView `json:"payment"`
}

func (c cli) paymentCheck() *cobra.Command {
	command := &cobra.Command{
		Use: "check REFERENCE", Short: "ask the provider about a payment now",
		Long: `Asks the provider for the status of a payment now, open or ended, and takes the answer to
its end, as reconciliation does by its schedule. It keeps the provider's limits, and
counts as one of the payment's checks.

It needs the account of the payment's provider. With --stack that of the functions, whose
secrets the AWS credentials must be allowed to read. Else those that infra/local takes:` + accountHelp(),
		Args: takes(checkReference),
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		c.provider = true
		return c.over(func(ctx context.Context, s *session, args []string) error {
			return s.checkPayment(ctx, strings.ToLower(args[0]))
		})(command, args)
	}
	return command
}

func (s *session) checkPayment(ctx context.Context, reference string) error {
	before, err := s.ledger.Payment(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("payment %s is %w", reference, err)
	}
	if err != nil {
		return err
	}
	if err := s.checkAccount(before.Provider, s.asking); err != nil {
		return err
	}
	after, err := s.asking.Check(ctx, reference)
	switch {
	case errors.Is(err, gateway.ErrPostponed):
		return refused("not asked: the provider's request limit is spent, or it was asked about this payment a moment ago (%w)", err)
	case errors.Is(err, gateway.ErrSubmitting):
		return refused("not asked: the request that made it is still under way, until %s (%w)", stamp(before.SubmitDeadline), err)
	case err != nil && !errors.Is(err, gateway.ErrUnanswered):
		return err
	}
	v := checkView{Answered: err == nil, Changed: after.Status != before.Status || after.Phase != before.Phase, Payment: viewOfPayment(after)}
	if shown := s.answer(v, func(t *text) {
		switch {
		case !v.Answered:
			t.line("%s gave no usable answer; what it said is in the timeline of payment show.", after.Provider)
		case v.Changed:
			t.line("It was %s %s, and is now:", before.Status, before.Phase)
		default:
			t.line("%s was asked, and nothing has changed.", after.Provider)
		}
		describe(t, after)
	}); shown != nil {
		return shown
	}
	return err
}
