package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"momoproxy/shared/gateway"
	"momoproxy/shared/payment"
)

var paymentSettle = &command{
	name: "payment settle", args: []string{"REFERENCE"}, short: "end an open payment by hand",
	long: `For a payment that is held because the provider's answers contradict it, or that the
provider will never end. The app is told at once and the audit log keeps who settled it
and why. It cannot be taken back: look at the provider's own records first. A payment
that has ended is not changed.`,
	flags: func(f *flag.FlagSet, c *call) {
		f.StringVar(&c.status, "status", "", "`status` it ended with: SUCCESSFUL, FAILED or CANCELLED; required")
		f.StringVar(&c.reason, "reason", "", "`text` for the audit log, and for the app unless it was SUCCESSFUL; required")
		f.StringVar(&c.transactionID, "financial-transaction-id", "", "the provider's `id` of the moved money, with SUCCESSFUL only")
		f.BoolVar(&c.yes, "yes", false, "do not ask")
	},
	check: checkSettlement,
	run:   settle,
}

// verdicts are the endings an operator can name.
var verdicts = map[string]payment.Verdict{
	string(payment.Successful): payment.SaysSuccessful,
	string(payment.Failed):     payment.SaysFailed,
	string(payment.Cancelled):  payment.SaysCancelled,
}

func checkSettlement(c *call) error {
	if err := checkReference(c); err != nil {
		return err
	}
	c.reason, c.transactionID = strings.TrimSpace(c.reason), strings.TrimSpace(c.transactionID)
	switch {
	case verdicts[c.status] == "":
		return usageError("--status must be SUCCESSFUL, FAILED or CANCELLED")
	case !oneLine(c.reason) || c.reason == "":
		return usageError(fmt.Sprintf("--reason must be given: one line of at most %d bytes", payment.MaxReason))
	case !oneLine(c.transactionID):
		return usageError(fmt.Sprintf("--financial-transaction-id must be one line of at most %d bytes", payment.MaxReason))
	case c.transactionID != "" && c.status != string(payment.Successful):
		return usageError("--financial-transaction-id goes with --status SUCCESSFUL: it says that money has moved")
	}
	return nil
}

func oneLine(s string) bool { return len(s) <= payment.MaxReason && printable(s) == s }

func settle(ctx context.Context, s *session) error {
	story, err := s.story(ctx)
	if err != nil {
		return err
	}
	p := story.Payment
	if p.Open() && !s.yes {
		if err := s.confirm(func(t *text) {
			describe(t, p)
			t.line("")
			if p.Phase != payment.PhaseHeld {
				t.line("It is not held: the provider may still end it by itself, and take the money after all.")
			}
			t.line("The app will be told %s, and that cannot be taken back.", s.status)
		}); err != nil {
			return err
		}
	}
	after, err := s.gateway().Settle(ctx, s.args[0], gateway.Settlement{
		Verdict: verdicts[s.status], Reason: s.reason, FinancialTransactionID: s.transactionID, Operator: s.operator,
	})
	if errors.Is(err, gateway.ErrEnded) {
		return fmt.Errorf("%w; only the provider's own answer to a status question can correct that", err)
	}
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(viewOfPayment(after))
	}
	t := &text{}
	if !p.Open() {
		t.line("Nothing to do: it has ended so already.")
	}
	describe(t, after)
	return s.print(t)
}

// errNotConfirmed: the person said no, or nothing.
var errNotConfirmed = errors.New("not confirmed, nothing was done; --yes does not ask")

// confirm asks the person at the keyboard. The question goes beside the
// output, which may be read by a program.
func (s *session) confirm(question func(*text)) error {
	t := &text{}
	question(t)
	fmt.Fprintf(s.err, "%sType yes to go on: ", t.b.String())
	line, err := bufio.NewReader(io.LimitReader(s.in, 100)).ReadString('\n')
	if strings.TrimSpace(line) == "yes" && err == nil {
		return nil
	}
	return errNotConfirmed
}
