package gateway_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// The same walk by an app that sends no Idempotency-Key and simply asks
// again: the external id keeps it from being charged twice, and whatever
// payment was made comes to its true end.
func TestCrashWalkWithoutKey(t *testing.T) {
	t.Parallel()
	for _, plan := range []string{mtnstand.ScriptSuccess, "callback_lost", "reset_after", "timeout_once", "error500_charged", "refused_payer_not_found"} {
		t.Run(plan, func(t *testing.T) {
			t.Parallel()
			for _, b := range blows {
				for n := 1; ; n++ {
					f := &fuse{n: n, blow: b}
					t.Run(fmt.Sprintf("call %d %s", n, b), func(t *testing.T) { walkWithoutKey(t, mtnstand.Payer(plan), f) })
					if !f.blown {
						break
					}
				}
			}
		})
	}
}

func walkWithoutKey(t *testing.T, payer string, f *fuse) {
	synctest.Test(t, func(t *testing.T) {
		w := testbed.New(t, f.options())
		f.arm(true)
		pay(w, payer, "")
		f.arm(false)
		if f.crash {
			w.Restart(f.options())
		}
		for range 4 {
			time.Sleep(20 * time.Second)
			if a := pay(w, payer, ""); a.StatusCode == 202 || a.StatusCode == 409 {
				break
			}
		}
		w.Pass(2 * time.Hour)
		if w.Charged() > 1 {
			t.Errorf("charged %d times", w.Charged())
		}
		successful := 0
		for _, p := range payments(t, w) {
			e, _ := w.Sandbox.Payment(p.Reference)
			if p.Open() || (p.Status == payment.Successful) != (e.Charges == 1) {
				t.Errorf("%s is %s %s, charged %d times", p.Reference, p.Status, p.Phase, e.Charges)
			}
			if p.Status == payment.Successful {
				successful++
			}
			if got := w.App.About(p.Reference); len(got) != 1 || got[0].Content.Status != string(p.Status) {
				t.Errorf("the app was told %v of %s", got, p.Reference)
			}
		}
		if successful != w.Charged() {
			t.Errorf("%d successful payments, %d charges", successful, w.Charged())
		}
	})
}

// payments lists everything Shop has.
func payments(t *testing.T, w *testbed.World) []ledger.Payment {
	t.Helper()
	page, err := w.Memory.Query(context.Background(), table.Query{Space: table.Main, Index: ledger.IndexList, Partition: "client#" + w.Shop.ID})
	if err != nil {
		t.Fatal(err)
	}
	var all []ledger.Payment
	for _, r := range page.Records {
		all = append(all, w.Payment(r.Partition[len("payment#"):]))
	}
	return all
}

// A write whose answer was lost has taken effect: looking again finds it, and
// the app gets the true answer and not that nothing is known.
func TestLostAnswerOfTheTableIsLookedAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		w := testbed.New(t, testbed.Options{Table: func(inner table.Table) table.Table {
			return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
				if op == tabletest.OpWrite && keys[0].Sort == "payment" {
					if writes++; writes <= 2 {
						return tabletest.Fault{When: tabletest.After}
					}
				}
				return tabletest.Fault{}
			})
		}})
		a := pay(w, "26876123456", key)
		if a.StatusCode != 202 || a.Text("phase") != "awaiting_payer" || writes != 2 {
			t.Errorf("%d %s after %d writes", a.StatusCode, a.Body, writes)
		}
		if again := pay(w, "26876123456", key); again.Body != a.Body {
			t.Errorf("the repeat: %s; want %s", again.Body, a.Body)
		}
	})
}
