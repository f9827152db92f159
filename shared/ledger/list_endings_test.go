package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// endings are the orders that a client's list of endings names, page by page.
func (b *books) endings(t *testing.T, clientID string, from, to time.Time, limit int) (orders []string) {
	t.Helper()
	for cursor, pages := "", 0; pages < 50; pages++ {
		page, err := b.EndedPayments(t.Context(), clientID, from, to, ledger.Paging{Limit: limit, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Items {
			orders = append(orders, p.ExternalID)
		}
		if cursor = page.Next; cursor == "" {
			return orders
		}
	}
	t.Fatal("the list does not end")
	return nil
}

// The time of the ending decides, not that of the making; a corrected payment is
// listed by its latest ending alone.
func TestEndedPayments(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	b.fill(t, client, 0, 5)
	b.fill(t, "cli_other", 100, 1)
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	end := func(i int, at time.Time, v payment.Verdict) {
		p, err := b.Payment(t.Context(), numbered(i))
		if err != nil {
			t.Fatal(err)
		}
		b.apply(t, p, payment.Evidence{Source: payment.FromStatus, Verdict: v, At: at})
	}
	end(3, hour(1), payment.SaysSuccessful)
	end(0, hour(2), payment.SaysFailed)
	end(1, hour(3), payment.SaysSuccessful)
	end(2, hour(4), payment.SaysFailed)
	end(2, hour(30), payment.SaysSuccessful) // a correction
	end(100, hour(2), payment.SaysSuccessful)
	for _, limit := range []int{1, 2, 100} {
		for _, c := range []struct {
			from, to time.Time
			want     []string
		}{
			{hour(0), hour(48), []string{"ORDER-3", "ORDER-0", "ORDER-1", "ORDER-2"}},
			{hour(1), hour(2), []string{"ORDER-3"}},
			{hour(2), hour(4), []string{"ORDER-0", "ORDER-1"}},
			{hour(4), hour(5), nil},
			{hour(30), hour(31), []string{"ORDER-2"}},
			{hour(5), hour(5), nil},
		} {
			if got := b.endings(t, client, c.from, c.to, limit); !slices.Equal(slices.Compact(got), c.want) {
				t.Errorf("%s to %s, %d a page: %v, want %v", c.from, c.to, limit, got, c.want)
			}
		}
	}
	if _, err := b.EndedPayments(t.Context(), client, hour(0), hour(1), ledger.Paging{Cursor: "nonsense"}); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("a foreign cursor: %v", err)
	}
}
