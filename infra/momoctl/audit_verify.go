package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"momoproxy/infra/replay"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

type verifyView struct {
	Checked int `json:"checked"`
	Follow  int `json:"follow"`
	// Beyond are those whose evidence cannot be read again: their trail has
	// expired, or an unsigned callback was trusted.
	Beyond []string      `json:"beyondEvidence,omitempty"`
	Faults []verifyFault `json:"faults"`
	Next   string        `json:"next,omitempty"`
}

type verifyFault struct {
	Reference string `json:"referenceId"`
	Differs   string `json:"differs"`
}

func (c cli) auditVerify() *cobra.Command {
	var client string
	var w window
	var after string
	command := &cobra.Command{
		Use: "verify", Short: "replay stored evidence, and report what does not follow",
		Long: `Takes each payment through the exchanges in its audit trail once more: today's code reads
each of the provider's answers and decides on it. It reports every payment whose status,
reason, transaction id or hold does not follow. It reads, and neither asks a provider nor
writes. Interrupted, it says how to go on.

A signed webhook is taken as signed: it was verified before it was stored. What cannot be
read again is counted apart: payments whose trail has expired, and endings by an unsigned
callback that CALLBACK_POLICY=trust believed.`,
		Example: `  momoctl audit verify
  momoctl audit verify --client cli_0a1b --since 30d --json`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			_, _, err := w.read(c.now())
			return err
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.verify(ctx, client, w, after) }),
	}
	f := command.Flags()
	f.StringVar(&client, "client", "", "of the client with this `id`")
	f.StringVar(&after, "after", "", "`cursor` that an interrupted run ended with")
	w.add(command, "made")
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) verify(ctx context.Context, client string, w window, after string) error {
	from, to, err := w.read(s.now())
	if err != nil {
		return err
	}
	if client != "" {
		if err := s.known(ctx, client); err != nil {
			return err
		}
	}
	at, err := readPosition(after)
	if err != nil {
		return badCursor("after", err)
	}
	filter := ledger.PaymentFilter{From: from, To: to}
	walk := walker[ledger.Payment]{session: s, client: client, fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.ListPayments(ctx, client, filter, p)
	}}
	v := verifyView{Faults: []verifyFault{}}
	var stopped error
	for done := false; !done && stopped == nil; {
		v.Next = at.String()
		var page []ledger.Payment
		var next position
		if page, next, done, stopped = walk.page(ctx, at, ledger.MaxListed); stopped != nil {
			break
		}
		for _, p := range page {
			if stopped = s.verifyOne(ctx, p, &v); stopped != nil {
				break
			}
		}
		at = next
	}
	if stopped == nil {
		v.Next = ""
	}
	if stopped != nil && !errors.Is(stopped, context.Canceled) {
		return badCursor("after", stopped)
	}
	shown := s.answer(v, func(t *text) {
		t.line("%s replayed: %d follow from their evidence, %d do not.", plural(v.Checked, "payment"), v.Follow, len(v.Faults))
		if n := len(v.Beyond); n > 0 {
			t.line("%s cannot be told: the trail has expired, or a callback was trusted.", plural(n, "other"))
		}
		for _, f := range v.Faults {
			t.line("  %s  %s", f.Reference, f.Differs)
		}
	})
	switch {
	case shown != nil:
		return shown
	case stopped != nil:
		return unfinished{fmt.Errorf("not finished; to go on: momoctl%s audit verify --after %q", s.storeFlags(), v.Next)}
	case len(v.Faults) > 0:
		return fmt.Errorf("%s by the stored evidence would stand otherwise", plural(len(v.Faults), "payment"))
	}
	return nil
}

func (s *session) verifyOne(ctx context.Context, p ledger.Payment, v *verifyView) error {
	trail, err := s.ledger.AuditTrail(ctx, p.Reference)
	if err != nil {
		return err
	}
	// What was read first may have gone on since.
	if p, err = s.ledger.Payment(ctx, p.Reference); err != nil {
		return err
	}
	r, err := replay.Payment(ctx, p, trail)
	if err != nil {
		return fmt.Errorf("payment %s: %w", p.Reference, err)
	}
	differs := r.Differs(p.Payment)
	switch {
	case differs == "":
		v.Checked, v.Follow = v.Checked+1, v.Follow+1
	case p.EndedBy == payment.FromTrustedCallback, len(trail) == 0, s.now().After(s.ledger.TrailExpires(p)):
		v.Beyond = append(v.Beyond, p.Reference)
	default:
		v.Checked++
		v.Faults = append(v.Faults, verifyFault{p.Reference, differs})
	}
	return nil
}
