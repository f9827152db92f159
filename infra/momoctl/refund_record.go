package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/refund"
)

// refundOrder is what the flags of a new refund say.
type refundOrder struct {
	id, amount, reason string
	kind               refund.Kind
	yes                bool
}

func (in *refundOrder) add(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&in.reason, "reason", "", "`text`: why, for the app and for the audit log; required")
	f.StringVar(&in.amount, "amount", "", "this `amount` in the payment's currency; empty: all that is left")
	f.StringVar(&in.id, "refund-id", "", "`UUID` of the refund: repeated with it, the command does nothing new; empty: a new one")
	yesFlag(command, &in.yes)
}

func (in *refundOrder) check() error {
	if in.id == "" {
		in.id = uuid.NewString()
	}
	in.reason = strings.TrimSpace(in.reason)
	for _, f := range gateway.RefundFaults(gateway.RefundOrder{ID: in.id, Reason: in.reason}, nil) {
		flag := map[string]string{"refundId": "refund-id", "reason": "reason"}[f.Field]
		return usageError("--" + flag + " " + f.Message)
	}
	return nil
}

func (c cli) refundRecord() *cobra.Command {
	in := refundOrder{kind: refund.ByHand}
	command := &cobra.Command{
		Use: "record REFERENCE", Short: "book a refund that was made by hand",
		Long: `Books that a payment, or a part of it, was given back by hand: in the provider's portal, by
bank or in cash. Where the provider has no refund call that is the only way. No provider is
asked and no money moves. The refund is SUCCESSFUL at once, the app is told, and the audit
log keeps who booked it and why. It cannot be taken back.`,
		Example: `  momoctl refund record 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 --reason "given back in the portal, line 4711"
  momoctl refund record 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 --amount 50.00 --reason "one shirt came back, paid in cash"`,
		Args:    takes(checkReference),
		PreRunE: func(*cobra.Command, []string) error { return in.check() },
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			return s.giveBack(ctx, strings.ToLower(args[0]), in, "")
		}),
	}
	in.add(command)
	return command
}

// giveBack stores a refund that the person asks for, or books one. note is said
// before the question.
func (s *session) giveBack(ctx context.Context, reference string, in refundOrder, note string) error {
	p, err := s.ledger.Payment(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("payment %s is %w", reference, err)
	}
	if err != nil {
		return err
	}
	order := gateway.RefundOrder{Reference: reference, ID: in.id, Kind: in.kind, Reason: in.reason}
	if in.amount != "" {
		m, fault := gateway.ReadAmount(in.amount, p.Amount.Currency)
		if fault != "" {
			return usageError("--amount " + fault)
		}
		order.Amount = m
	}
	r, _ := registration(p.Provider)
	if in.kind != refund.ByHand && r.NewRefunder == nil {
		return refused("not done: %s has no refund call. Give the money back in its portal, then book it: momoctl refund record %s --reason TEXT", p.Provider, p.Reference)
	}
	if _, err := s.ledger.Refund(ctx, reference, in.id); errors.Is(err, ledger.ErrNotFound) && !in.yes {
		if err := s.askRefund(p, order, r.NewRefunder != nil, note); err != nil {
			return err
		}
	}
	after, f, err := s.person().RequestRefund(ctx, order)
	if err != nil {
		if err := refundRefused(after, err); exitCode(err) != exitFailed {
			return err
		}
		return fmt.Errorf("whether it is stored is not known; repeat with --refund-id %s: %w", in.id, err)
	}
	return s.answer(viewOfRefund(f), func(t *text) {
		describeRefund(t, after, f)
		if f.Status == refund.Pending {
			t.line("")
			t.line("The reconciler sends it within a minute. Follow it: momoctl payment show %s", p.Reference)
		}
	})
}

// askRefund asks whether a refund is meant, unless it cannot be.
func (s *session) askRefund(p ledger.Payment, order gateway.RefundOrder, hasCall bool, note string) error {
	_, f, err := refund.New(p.Payment, refund.Ask{ID: order.ID, Amount: order.Amount, Kind: order.Kind, At: s.now()})
	if err != nil {
		return refundRefused(p, err)
	}
	return s.confirm(func(t *text) {
		describe(t, p)
		if p.Refunds.Reserved > 0 {
			t.line("  given back  %s, and %s is left", givenBack(p), refund.Left(p.Payment))
		}
		t.line("")
		if note != "" {
			t.line("%s", note)
		}
		if order.Kind != refund.ByHand {
			t.line("%s is to be given back to the payer by %s.", f.Amount, wayBack(p, order.Kind))
			return
		}
		if hasCall {
			t.line("Note: this sends nothing. %s has a refund call: momoctl refund request uses it.", p.Provider)
		}
		t.line("This books that %s was given back by hand. No money moves.", f.Amount)
		t.line("The app will be told SUCCESSFUL, and that cannot be taken back.")
	})
}
