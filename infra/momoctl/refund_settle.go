package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/infra/operator"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

func (c cli) refundSettle() *cobra.Command {
	var in operator.RefundSettlement
	var yes bool
	command := &cobra.Command{
		Use: "settle REFERENCE REFUND", Short: "end an open refund by hand",
		Long: `For a refund of a payment that nobody knows the outcome of, or that the provider does not
end. Look for it in the provider's own records first, by what it was sent as. The app is
told at once and the audit log keeps who settled it and why. It cannot be taken back.

FAILED lets its amount be given back again. Of a refund that was sent it needs --seen: what
the provider's portal shows. What was never sent can be called off at once, with FAILED.
What was sent can be settled after ten minutes, and, while the provider works on it, after
24 hours.`,
		Example: `  momoctl refund settle 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 3f1d7a52-8b0e-4f6c-9a57-0c2f8d1e7b11 \
    --status FAILED --reason "MTN did not execute it" --seen "no such line on the statement of 1 September"`,
		Args: takes(checkRefund),
		PreRunE: func(*cobra.Command, []string) error {
			line := fmt.Sprintf("one line of at most %d bytes", payment.MaxReason)
			switch in.Check() {
			case operator.BadStatus:
				return usageError("--status must be " + alternatives(operator.RefundEndings))
			case operator.NoReason, operator.BadReason:
				return usageError("--reason must be given: " + line)
			case operator.BadSeen:
				return usageError("--seen must be " + line)
			}
			return nil
		},
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			return s.settleRefund(ctx, strings.ToLower(args[0]), strings.ToLower(args[1]), in, yes)
		}),
	}
	f := command.Flags()
	f.StringVar(&in.Status, "status", "", "`status` it ended with: SUCCESSFUL or FAILED; required")
	f.StringVar(&in.Reason, "reason", "", "`text` for the audit log, and for the app of one that failed; required")
	f.StringVar(&in.Seen, "seen", "", "`text`: what the provider's portal shows of the refund; for the audit log")
	yesFlag(command, &yes)
	completeFlag(command, "status", fixed(operator.RefundEndings))
	return command
}

// checkRefund looks at the arguments that name a refund.
func checkRefund(args []string) error {
	if err := checkReference(args); err != nil {
		return err
	}
	return checkRefundID(args[1])
}

func checkRefundID(id string) error {
	if !payment.IsReference(id) {
		return usageError(fmt.Sprintf("%q is not the id of a refund, a UUID; momoctl refund list and momoctl payment show have it", printable(id)))
	}
	return nil
}

// refundOf reads a refund and its payment.
func (s *session) refundOf(ctx context.Context, reference, id string) (ledger.Payment, ledger.Refund, error) {
	f, err := s.ledger.Refund(ctx, reference, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Payment{}, f, fmt.Errorf("refund %s of payment %s is %w", id, reference, err)
	}
	if err != nil {
		return ledger.Payment{}, f, err
	}
	p, err := s.ledger.Payment(ctx, reference)
	return p, f, err
}

func (s *session) settleRefund(ctx context.Context, reference, id string, in operator.RefundSettlement, yes bool) error {
	p, f, err := s.refundOf(ctx, reference, id)
	if err != nil {
		return err
	}
	if err := settleRefused(f, in.Status, refund.MaySettle(f.Refund, refund.Status(in.Status), s.now())); err != nil {
		return err
	}
	if in.NeedsLook(f.Refund) && in.Seen == "" {
		return refused("not settled: the provider was asked for it and may have executed it. Look for %s of %s, sent at %s, in the provider's portal, and say with --seen what it shows",
			f.Reference, f.Amount, stamp(f.AskedAt))
	}
	if f.Open() && !yes {
		if err := s.confirm(func(t *text) {
			describeRefund(t, p, f)
			t.line("")
			if f.Status == refund.Submitted {
				t.line("The provider has it, and may still execute it or end it.")
			}
			if in.Status == string(refund.Failed) {
				t.line("Note: once it is FAILED its %s can be given back again. If the provider has executed it, or does, that is twice.", f.Amount)
			}
			t.line("The app will be told %s, and that cannot be taken back.", in.Status)
		}); err != nil {
			return err
		}
	}
	after, err := s.person().SettleRefund(ctx, reference, id, in)
	if err != nil {
		return settleRefused(after, in.Status, err)
	}
	return s.answer(viewOfRefund(after), func(t *text) {
		if !f.Open() {
			t.line("Nothing to do: it has ended so already.")
		}
		describeRefund(t, p, after)
	})
}

// settleRefused says why a refund cannot be ended so, and when it can.
func settleRefused(f ledger.Refund, status string, err error) error {
	switch {
	case errors.Is(err, refund.ErrEnded):
		return refused("not settled: it has ended as %s, and an ending is never changed", f.Status)
	case errors.Is(err, refund.ErrUnderway) && f.Status == refund.Pending:
		return refused("not settled: it was never sent, so it is not %s; FAILED calls it off", status)
	case errors.Is(err, refund.ErrUnderway) && f.Status == refund.Submitted:
		return refused("not settled: the provider may still execute it; it is asked about, and can be settled from %s on", stamp(f.AskedAt.Add(refund.Stuck)))
	case errors.Is(err, refund.ErrUnderway):
		return refused("not settled: the request may still be on its way; it can be settled from %s on", stamp(f.AskedAt.Add(refund.Grace)))
	}
	return err
}
