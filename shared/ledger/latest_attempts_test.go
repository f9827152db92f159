package ledger_test

import (
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// The latest attempts of one event are its own alone, oldest first.
func TestLatestAttempts(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	failed, first := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
	_, second := b.apply(t, failed, evidence(payment.SaysSuccessful, time.Hour))
	for _, of := range []struct {
		d        delivery.Delivery
		attempts int
	}{{*first, 12}, {*second, 3}} {
		d := of.d
		for n := 1; n <= of.attempts; n++ {
			var err error
			if d, err = b.SaveDelivery(t.Context(), d.Claim(start.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
			d, err = b.SaveAttempt(t.Context(), d,
				delivery.Attempt{Reference: refA, Sequence: d.Sequence, Number: n, Cause: delivery.CauseProbe, Started: start, Code: 500},
				ledger.AuditRecord{At: start, Reference: refA})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		reference   string
		sequence, n int
		want        []int
	}{
		{refA, 1, 1, []int{12}},
		{refA, 1, 3, []int{10, 11, 12}},
		{refA, 1, 12, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{refA, 2, 1000, []int{1, 2, 3}},
		{refA, 3, 5, []int{}},
		{refB, 1, 5, []int{}},
	} {
		attempts, err := b.LatestAttempts(t.Context(), c.reference, c.sequence, c.n)
		if err != nil {
			t.Fatal(err)
		}
		got := []int{}
		for _, a := range attempts {
			if a.Sequence != c.sequence || a.Cause != delivery.CauseProbe {
				t.Errorf("%+v", a)
			}
			got = append(got, a.Number)
		}
		same(t, "numbers", c.want, got)
	}
}
