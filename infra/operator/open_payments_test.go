package operator

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table/memory"
)

func TestOpenPayments(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	o := Operator{Ledger: ledger.New(memory.New(), nil, ledger.Options{}), Now: func() time.Time { return start }}
	reference := func(i int) string { return fmt.Sprintf("%d0000000-0000-4000-8000-000000000000", i) }
	for i, phase := range []payment.Phase{payment.PhaseHeld, payment.PhaseAwaitingPayer, payment.PhaseInReconciliation, payment.PhaseHeld} {
		p := payment.Payment{
			Reference: reference(i), ClientID: "cli_shop", ExternalID: fmt.Sprint("ORDER-", i), Provider: "mtn", Account: "mtn-sz",
			Status: payment.Pending, Phase: phase, CreatedAt: start.Add(time.Duration(i) * time.Second),
		}
		switch {
		case phase != payment.PhaseHeld:
			p.NextCheckAt = start
		case i == 3:
			p.ClientID = "cli_other"
		}
		if _, err := o.Ledger.Create(t.Context(), ledger.Payment{Payment: p}); err != nil {
			t.Fatal(err)
		}
	}
	for clientID, want := range map[string][]string{"": {reference(0), reference(2), reference(3)}, "cli_shop": {reference(0), reference(2)}} {
		var got []string
		for cursor := ""; ; {
			page, err := o.PaymentsWaiting(t.Context(), clientID, ledger.Paging{Limit: 2, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Items {
				got = append(got, p.Reference)
			}
			if cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %q: %v", clientID, got)
		}
	}
	if _, err := o.PaymentsWaiting(t.Context(), "", ledger.Paging{Limit: 2, Cursor: "nonsense"}); !errors.Is(err, ledger.ErrCursor) {
		t.Error(err)
	}
	if n, err := o.CountOpen(t.Context()); err != nil || n.Truncated || len(n.ByAccount) != 1 || n.ByAccount["mtn-sz"] != 4 {
		t.Errorf("%+v, %v", n, err)
	}
}
