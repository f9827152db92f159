package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
)

// Several slots come in one write, as far as they lie near each other, and no
// two requests get the same.
func TestReserveSlots(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ask         ledger.SlotRequest
		want, after []time.Duration
	}{
		"one":                       {ledger.SlotRequest{}, []time.Duration{0}, []time.Duration{1}},
		"three":                     {ledger.SlotRequest{Count: 3, Within: time.Minute}, []time.Duration{0, 1, 2}, []time.Duration{3}},
		"as many as are near":       {ledger.SlotRequest{Count: 9, Within: time.Second}, []time.Duration{0, 1}, []time.Duration{2}},
		"a burst, and one after it": {ledger.SlotRequest{Count: 4, Within: time.Minute, Limit: ledger.SlotLimit{Burst: 2}}, []time.Duration{0, 0, 0, 1}, []time.Duration{2}},
	} {
		b := newBooks(t, nil)
		times := func(r ledger.SlotRequest) (after []time.Duration) {
			r.From, r.MaxWait, r.Limit = start, time.Minute, ledger.SlotLimit{Name: name, Every: time.Second, Burst: r.Limit.Burst}
			slots, ok, err := b.ReserveSlots(t.Context(), r)
			if err != nil || !ok {
				t.Fatalf("%s: %t, %v", name, ok, err)
			}
			for _, at := range slots {
				after = append(after, at.Sub(start)/time.Second)
			}
			return after
		}
		if diff := cmp.Diff(c.want, times(c.ask)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		c.ask.Count = 1
		if diff := cmp.Diff(c.after, times(c.ask)); diff != "" {
			t.Errorf("%s, then one: -want +got\n%s", name, diff)
		}
	}
}
