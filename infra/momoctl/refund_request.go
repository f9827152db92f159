package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"momoproxy/shared/refund"
)

func (c cli) refundRequest() *cobra.Command {
	in := refundOrder{kind: refund.ByRefund}
	var transfer bool
	command := &cobra.Command{
		Use: "request REFERENCE", Short: "have a payment, or a part of it, given back by its provider",
		Long: `Stores a refund. It asks no provider itself: the reconciler sends it within a minute, with
the credentials that pay out. The app is told how it ends. A payment has one open refund at
a time, and refunds never exceed what was paid. The app's limit of a day does not count here.

With --transfer the money goes to the payer's number by a transfer, which the provider does
not know as a refund of this payment. Where the provider has no refund call, give the money
back in its portal, and book that: refund record.`,
		Example: `  momoctl refund request 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 --reason "the order was called off"
  momoctl refund request 7c1a4f8e-0b1d-4c55-9a57-3f4d1c2b6a90 --amount 50.00 --reason "one shirt came back"`,
		Args:    takes(checkReference),
		PreRunE: func(*cobra.Command, []string) error { return in.check() },
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			if transfer {
				in.kind = refund.ByTransfer
			}
			return s.giveBack(ctx, strings.ToLower(args[0]), in, "")
		}),
	}
	in.add(command)
	command.Flags().BoolVar(&transfer, "transfer", false, "by a transfer to the payer instead of the provider's refund call")
	return command
}
