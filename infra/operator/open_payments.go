package operator

import (
	"context"
	"errors"
	"maps"
	"slices"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// PaymentsWaiting lists the payments that are held or whose outcome is not
// known, oldest first; clientID empty: everybody's. A page may be short, or
// empty, and still have a cursor.
func (o Operator) PaymentsWaiting(ctx context.Context, clientID string, p ledger.Paging) (found ledger.Page[ledger.Payment], err error) {
	inbox, err := o.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionPayment}, p)
	if err != nil {
		return found, err
	}
	references := make([]string, len(inbox.Items))
	for i, a := range inbox.Items {
		references[i] = a.Reference
	}
	all, err := o.payments(ctx, references)
	found.Items = slices.DeleteFunc(all, func(p ledger.Payment) bool { // the inbox lags
		waits := p.Phase == payment.PhaseHeld || p.Phase == payment.PhaseInReconciliation
		return !waits || clientID != "" && p.ClientID != clientID
	})
	found.Next = inbox.Next
	return found, err
}

// OpenPayments counts the open payments of each account.
type OpenPayments struct {
	ByAccount map[string]int
	Truncated bool // the counts are lower bounds
}

// countMost bounds how many payments CountOpen reads.
const countMost = 10_000

// CountOpen reads every open payment: it is for a person's question, not for
// a schedule.
func (o Operator) CountOpen(ctx context.Context) (OpenPayments, error) {
	n := OpenPayments{ByAccount: map[string]int{}}
	references, err := o.openReferences(ctx)
	if err != nil {
		return n, err
	}
	if n.Truncated = len(references) > countMost; n.Truncated {
		references = references[:countMost]
	}
	all, err := o.payments(ctx, references)
	for _, p := range all {
		if p.Reference != "" && p.Open() {
			n.ByAccount[p.AccountID()]++
		}
	}
	return n, err
}

// openReferences lists the payments that have a check to come, and those that
// are held, for which none comes: up to countMost, or some more.
func (o Operator) openReferences(ctx context.Context) ([]string, error) {
	seen := map[string]bool{}
	before := ledger.Clock(o.Now()).Add(ledger.OpenHorizon)
	for shard := range ledger.DueShards {
		for p := (ledger.Paging{}); ; {
			due, err := o.Ledger.Due(ctx, ledger.DueQuery{Kind: ledger.DuePayment, Shard: shard, Before: before}, p)
			if err != nil {
				return nil, err
			}
			for _, d := range due.Items {
				seen[d.Reference] = true
			}
			if p.Cursor = due.Next; p.Cursor == "" || len(seen) > countMost {
				break
			}
		}
	}
	for p := (ledger.Paging{}); ; {
		inbox, err := o.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionPayment}, p)
		if err != nil {
			return nil, err
		}
		for _, a := range inbox.Items {
			seen[a.Reference] = true
		}
		if p.Cursor = inbox.Next; p.Cursor == "" || len(seen) > countMost {
			return slices.Sorted(maps.Keys(seen)), nil
		}
	}
}

// readTogether is how many payments are read at a time.
const readTogether = 10

// payments reads payments, in the order given. One that is gone is the zero value.
func (o Operator) payments(ctx context.Context, references []string) ([]ledger.Payment, error) {
	found := make([]ledger.Payment, len(references))
	faults := host.Machine().Parallel.Each(ctx, readTogether, len(references), func(i int) (err error) {
		if found[i], err = o.Ledger.Payment(ctx, references[i]); errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		return err
	})
	return found, errors.Join(faults...)
}
