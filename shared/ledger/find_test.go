package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// A phone number's payments are listed over all clients, newest first, and
// each filter narrows them; without a client there is no other list.
func TestFindByPayer(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	b.fill(t, "cli_a", 0, 4)
	b.fill(t, "cli_b", 4, 4)
	other := newPayment(numbered(9))
	other.Payer, other.ExternalID = "26876999999", "ORDER-9"
	b.create(t, other)
	failed, err := b.Payment(t.Context(), numbered(2))
	if err != nil {
		t.Fatal(err)
	}
	b.apply(t, failed, evidence(payment.SaysFailed, time.Minute))

	const payer = "26876123456"
	for name, c := range map[string]struct {
		client string
		filter ledger.PaymentFilter
		want   []int
	}{
		"all":       {"", ledger.PaymentFilter{Payer: payer}, []int{7, 6, 5, 4, 3, 2, 1, 0}},
		"a client":  {"cli_b", ledger.PaymentFilter{Payer: payer}, []int{7, 6, 5, 4}},
		"a time":    {"", ledger.PaymentFilter{Payer: payer, From: start.Add(2 * time.Second), To: start.Add(6 * time.Second)}, []int{5, 4, 3, 2}},
		"an order":  {"", ledger.PaymentFilter{Payer: payer, ExternalID: "ORDER-3"}, []int{3}},
		"a reason":  {"", ledger.PaymentFilter{Payer: payer, Reason: "word"}, []int{2}},
		"ended":     {"", ledger.PaymentFilter{Payer: payer, EndedSince: start}, []int{2}},
		"too late":  {"", ledger.PaymentFilter{Payer: payer, EndedSince: start.Add(time.Hour)}, nil},
		"provider":  {"cli_a", ledger.PaymentFilter{Provider: "momentpay"}, nil},
		"a reason'": {"cli_a", ledger.PaymentFilter{Reason: "WORD"}, []int{2}},
		"nobody":    {"", ledger.PaymentFilter{Payer: "26876000000"}, nil},
		"no client": {"", ledger.PaymentFilter{}, nil},
	} {
		var want []string
		for _, i := range c.want {
			want = append(want, numbered(i))
		}
		for _, limit := range []int{1, 3, 100} {
			if got, _ := b.walk(t, c.client, c.filter, limit); !cmp.Equal(got, want) {
				t.Errorf("%s, %d a page: %s", name, limit, cmp.Diff(want, got))
			}
		}
	}
}

func TestFindByTransaction(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	e := evidence(payment.SaysSuccessful, time.Minute)
	b.apply(t, b.create(t, newPayment(refA)), e)
	found, err := b.FindPayments(t.Context(), ledger.ID{Transaction: e.FinancialTransactionID})
	if err != nil || len(found) != 1 || found[0].Reference != refA || e.FinancialTransactionID == "" {
		t.Errorf("%v %v", found, err)
	}
	for _, id := range []string{"", "unknown", "\x00"} {
		if found, err := b.FindPayments(t.Context(), ledger.ID{Transaction: id}); err != nil || len(found) != 0 {
			t.Errorf("%q: %v %v", id, found, err)
		}
	}
}
