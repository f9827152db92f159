package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/infra/operator"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// settlement is what the flags of payment settle say.
type settlement struct {
	operator.Settlement
	yes bool
}

func (c cli) paymentSettle() *cobra.Command {
	var in settlement
	command := &cobra.Command{
		Use: "settle REFERENCE", Short: "end an open payment by hand",
		Long: `For a payment that is held because the provider's answers contradict it, or that the
provider will never end. The app is told at once and the audit log keeps who settled it
and why. It cannot be taken back: look at the provider's own records first. A payment
that has ended is not changed.

FAILED or CANCELLED frees the order to be paid again. While the payer can still pay this
payment, or may have paid it because the provider's answer was lost, that may take the
money twice: the question says so, and with --yes it is refused but for
--although-payable.

Where the provider's answer was lost and cannot be asked for, the payer may have been
charged. FAILED or CANCELLED then needs --seen: what the provider's portal shows of it.`,
		Example: `  momoctl payment settle 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 --status SUCCESSFUL \
    --reason "on MTN's statement of 1 September" --financial-transaction-id 4711`,
		Args:    takes(checkReference),
		PreRunE: func(*cobra.Command, []string) error { return in.check() },
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			return s.settle(ctx, strings.ToLower(args[0]), in)
		}),
	}
	f := command.Flags()
	f.StringVar(&in.Status, "status", "", "`status` it ended with: SUCCESSFUL, FAILED or CANCELLED; required")
	f.StringVar(&in.Reason, "reason", "", "`text` for the audit log, and for the app unless it was SUCCESSFUL; required")
	f.StringVar(&in.TransactionID, "financial-transaction-id", "", "the provider's `id` of the moved money, with SUCCESSFUL only")
	f.StringVar(&in.Seen, "seen", "", "`text`: what the provider's portal shows of the payment; for the audit log")
	yesFlag(command, &in.yes)
	f.BoolVar(&in.AllowDoublePayment, "although-payable", false, "with --yes: also FAILED or CANCELLED while the payer may pay, or may have paid")
	completeFlag(command, "status", fixed(operator.Endings))
	return command
}

func (in *settlement) check() error {
	line := fmt.Sprintf("one line of at most %d bytes", payment.MaxReason)
	switch in.Check() {
	case operator.BadStatus:
		return usageError("--status must be " + alternatives(operator.Endings))
	case operator.NoReason, operator.BadReason:
		return usageError("--reason must be given: " + line)
	case operator.BadSeen:
		return usageError("--seen must be " + line)
	case operator.BadTransactionID:
		return usageError("--financial-transaction-id must be " + line)
	case operator.LoneTransactionID:
		return usageError("--financial-transaction-id goes with --status SUCCESSFUL: it says that money has moved")
	}
	return nil
}

// paidAfterAll says why a payable payment may be paid once it has been settled.
func paidAfterAll(p ledger.Payment) string {
	switch {
	case !p.ExpiresAt.IsZero():
		return "the payer can still pay it until " + stamp(p.ExpiresAt)
	case p.Phase == payment.PhaseInReconciliation, p.Phase == payment.PhaseSubmitting:
		return "the provider's answer was lost, so the payer may have paid it or still can"
	}
	return "the payer can still pay it (the provider names no end)"
}

func (s *session) settle(ctx context.Context, reference string, in settlement) error {
	story, err := s.story(ctx, reference)
	if err != nil {
		return err
	}
	p := story.Payment
	underWay := p.Phase == payment.PhaseSubmitting && s.now().Before(p.SubmitDeadline)
	if in.NeedsLook(p) && in.Seen == "" && !underWay { // else Settle says so
		return refused("not settled: the provider's answer was lost, so it may have charged the payer. Look for %s from %s at %s in the provider's portal, and say with --seen what it shows",
			p.Amount, p.Payer.Masked(), stamp(p.CreatedAt))
	}
	twice := in.MayDouble(p, s.now())
	if p.Open() && !in.yes {
		trail, _, err := s.trail(ctx, reference, trailEnds)
		if err != nil {
			return err
		}
		if err := s.confirm(func(t *text) {
			describe(t, p)
			describeQuarrel(t, p, trail)
			t.line("")
			if p.Phase != payment.PhaseHeld && !p.Unanswerable {
				t.line("It is not held: the provider may still end it by itself, and take the money after all.")
			}
			if twice {
				t.line("Note: %s. Once it is %s order %s is free to be paid again, and may be paid twice.",
					paidAfterAll(p), in.Status, p.ExternalID)
			}
			t.line("The app will be told %s, and that cannot be taken back.", in.Status)
		}); err != nil {
			return err
		}
	}
	in.AllowDoublePayment = in.AllowDoublePayment || twice && !in.yes // it was asked and answered
	after, err := s.person().Settle(ctx, s.gateway(), reference, in.Settlement)
	if errors.Is(err, gateway.ErrPayable) {
		return refused("not settled: %s, and order %s would be free to be paid again; --although-payable does it all the same",
			paidAfterAll(after), after.ExternalID)
	}
	if errors.Is(err, gateway.ErrSubmitting) {
		return refused("not settled: the request that made it is still under way, until %s; look again then (%w)", stamp(p.SubmitDeadline), err)
	}
	if errors.Is(err, gateway.ErrEnded) {
		return fmt.Errorf("%w; only the provider's own answer to a status question can correct that", err)
	}
	if err != nil {
		return err
	}
	return s.answer(viewOfPayment(after), func(t *text) {
		if !p.Open() {
			t.line("Nothing to do: it has ended so already.")
		}
		describe(t, after)
	})
}
