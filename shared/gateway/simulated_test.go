package gateway_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// Each test here is the short form of a run that the simulation once failed.

// bubble runs f against a system of its own in virtual time.
func bubble(t *testing.T, o testbed.Options, f func(t *testing.T, w *testbed.World)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, testbed.New(t, o)) })
}

// accepted asks for a payment whose life at the provider is the named one.
func accepted(t *testing.T, w *testbed.World, order, plan string) (reference string) {
	t.Helper()
	a := w.Pay(testbed.Order(order, mtnstand.Payer(plan)))
	if a.StatusCode != 202 {
		t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
	return a.Reference()
}

// Our clock may end a payment while the provider cannot even be asked: the
// trail must say so.
func TestTimeoutIsAuditedThoughNobodyWasAsked(t *testing.T) {
	var noTokens atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if noTokens.Load() && strings.HasPrefix(keys[0].Partition, "token#") {
				return tabletest.Fault{When: tabletest.Before}
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		w.Pass(time.Hour)
		noTokens.Store(true)
		w.Pass(26 * time.Hour)
		p := w.Payment(reference)
		if p.Status != payment.Timeout {
			t.Fatalf("it is %s", p.Status)
		}
		for _, r := range w.Trail(reference) {
			if r.Direction == ledger.OutboundToProvider && !r.At.Before(p.EndedAt.Add(-time.Minute)) && !r.At.After(p.EndedAt) && strings.Contains(r.Note, "not asked") {
				return
			}
		}
		t.Errorf("no audit record says why it ended at %s", p.EndedAt)
	})
}

// The provider takes a failure back, calls to say so, and its status lags
// behind that call: one question is not enough.
func TestCorrectionWhoseStatusLags(t *testing.T) {
	plan := core.Script{
		Steps:     []core.Step{{After: time.Second, Status: "FAILED", Reason: "EXPIRED"}, {After: 10 * time.Minute, Status: "SUCCESSFUL"}},
		Callbacks: []core.Notice{{After: time.Second}, {After: 10 * time.Minute}},
		Lag:       15 * time.Second,
	}
	o := testbed.Options{Sandbox: func(o *mtnstand.Options) {
		o.Choose = func(core.Call) (core.Script, bool) { return plan, true }
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		w.Pass(9 * time.Minute)
		if s := w.Status(reference); s != payment.Failed {
			t.Fatalf("it is %s", s)
		}
		w.Pass(5 * time.Minute)
		if p := w.Payment(reference); p.Status != payment.Successful || p.Sequence != 2 {
			t.Errorf("it is %s at sequence %d", p.Status, p.Sequence)
		}
	})
}

// Questions held up between their slot and their sending, here by a table
// that answers everybody at once, must not be sent in a heap.
func TestSlotsDoNotPileUp(t *testing.T) {
	var slow atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if slow.Load() && op == tabletest.OpWrite && len(keys) == 1 && keys[0].Sort == "payment" {
				time.Sleep(4*time.Second - time.Duration(time.Now().UnixNano())%(4*time.Second))
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		for i := range 40 {
			accepted(t, w, fmt.Sprintf("ORDER-%d", i), mtnstand.ScriptPending)
		}
		time.Sleep(time.Minute)
		slow.Store(true)
		w.Gateway.Parallel = func(_, n int, task func(int)) { host.Machine().Parallel(40, n, task) }
		w.Reconcile(t.Context())
		c := w.Sandbox.Counters()
		if c.Requests[mtnstand.RouteStatus] == 0 || c.Limits[mtnstand.LimitGETs].Most > 10 {
			t.Errorf("%d questions, up to %d in a second", c.Requests[mtnstand.RouteStatus], c.Limits[mtnstand.LimitGETs].Most)
		}
	})
}

// A run reserves several slots in a write, keeps the provider's rate, and
// leaves slots to apps meanwhile.
func TestARunReservesSlotsTogether(t *testing.T) {
	var writes atomic.Int64
	counting := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if op == tabletest.OpWrite && keys[0].Partition == "limit#mtn#status" {
				writes.Add(1)
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: counting}, func(t *testing.T, w *testbed.World) {
		for i := range 40 {
			accepted(t, w, fmt.Sprintf("ORDER-%d", i), mtnstand.ScriptPending)
		}
		time.Sleep(time.Minute)
		writes.Store(0)
		before := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]
		w.Reconcile(t.Context())
		c := w.Sandbox.Counters()
		asked := int64(c.Requests[mtnstand.RouteStatus] - before)
		if asked < 40 || writes.Load() > asked/2 {
			t.Errorf("%d questions cost %d writes of the limit, want half as many at the most", asked, writes.Load())
		}
		if c.Limits[mtnstand.LimitGETs].Most > 10 {
			t.Errorf("up to %d in a second", c.Limits[mtnstand.LimitGETs].Most)
		}
	})
}
