package bench_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/sqlitefile"
	"momoproxy/shared/table"
	"momoproxy/shared/table/sqlite"
)

var largeTable = flag.Int("large-table", 100_000, "payments in the large table of TestReconcileTickCost")

// One reconcile run with a hundred due payments must cost the same however
// many payments the table holds, or it ends up costing more than there is.
func TestReconcileTickCost(t *testing.T) {
	const small = 1_000
	smallCPU, smallCalls := reconcileTick(t, small)
	largeCPU, largeCalls := reconcileTick(t, *largeTable)
	ratio := float64(largeCPU) / float64(smallCPU)
	t.Logf("a run with 100 due payments: %v and %d table calls with %d payments, %v and %d with %d: ratio %.2f",
		smallCPU, smallCalls, small, largeCPU, largeCalls, *largeTable, ratio)
	// Questions that wait together share a write: who meets whom differs a little.
	if largeCalls > smallCalls+smallCalls/20 {
		t.Errorf("%d table calls with %d payments, %d with %d", smallCalls, small, largeCalls, *largeTable)
	}
	// The promise is 1.2; a shared machine is noisier than that.
	if ratio > 1.5 {
		t.Errorf("a run in the large table costs %.2f times one in the small", ratio)
	}
}

// A run that finds nothing to do is what the reconciler does most of the time.
func TestIdleTickCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counted atomic.Int64
		w := testbed.New(t, testbed.Options{Table: func(inner table.Table) table.Table { return counter{inner, &counted} }})
		if a := w.Pay(testbed.Order("ONE", mtnstand.Payer(mtnstand.ScriptSuccess))); a.StatusCode != 202 {
			t.Fatalf("answered %d %s", a.StatusCode, a.Body)
		}
		time.Sleep(time.Hour)
		w.Reconcile(t.Context()) // tokens are fetched anew
		time.Sleep(time.Minute)
		counted.Store(0)
		w.Reconcile(t.Context())
		// Four shards, one of them again, the inbox, the circuits, the token and
		// that of refunds, due refunds, and the heartbeat, which is read and written.
		if calls := counted.Load(); calls > 12 {
			t.Errorf("%d table calls, want 12 at the most", calls)
		}
	})
}

// reconcileTick measures the median of several runs: processor time, and
// calls to the table.
func reconcileTick(t *testing.T, payments int) (cpu time.Duration, calls int64) {
	db, err := sqlite.Open(filepath.Join(t.TempDir(), "payments.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	synctest.Test(t, func(t *testing.T) {
		var counted atomic.Int64
		w := testbed.New(t, testbed.Options{Table: func(table.Table) table.Table { return counter{db, &counted} }})
		ctx := context.Background()
		for _, r := range w.Records() {
			r.Version = 0
			if err := db.Write(ctx, table.Put(r)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 {
			if a := w.Pay(testbed.Order(fmt.Sprintf("DUE-%d", i), mtnstand.Payer(mtnstand.ScriptPending))); a.StatusCode != 202 {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
		}
		fill(t, db, payments)
		var times []time.Duration
		for range 7 {
			time.Sleep(90 * time.Minute) // all hundred are due again
			counted.Store(0)
			started := processorTime(t)
			tally, err := w.Gateway.Reconcile(ctx, nil)
			times = append(times, processorTime(t)-started)
			if err != nil || tally.Checked != 100 {
				t.Fatalf("checked %d payments (%v), want 100", tally.Checked, err)
			}
			calls = counted.Load()
		}
		slices.Sort(times)
		cpu = times[len(times)/2]
	})
	return cpu, calls
}

// fill adds copies of an ended payment with its delivery, made in SQL because
// only their number matters here.
func fill(t *testing.T, db *sqlite.Table, payments int) {
	t.Helper()
	err := db.File().Write(t.Context(), func(c sqlitefile.Conn) error {
		_, err := c.Exec(`
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO main_records ("partition", sort, version, attributes, indexes)
		SELECT printf('payment#%08x-0000-4000-8000-000000000000', i), 'payment', 4,
			json_object('client_id', 'cli_shop', 'status', 'SUCCESSFUL', 'external_id', 'OLD-' || i, 'amount_minor', 15000, 'currency', 'SZL',
				'created_at', '2026-01-01T00:00:00.000Z', 'payer_msisdn', '26876123456', 'financial_tx_id', '1234567890'),
			json_object('list', json_array('client#cli_shop', printf('2026-01-01T00:00:00.000Z#%08x', i)))
		FROM n`, payments)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// counter counts the calls to a table.
type counter struct {
	table.Table
	n *atomic.Int64
}

func (c counter) Get(ctx context.Context, k table.Key) (table.Record, error) {
	c.n.Add(1)
	return c.Table.Get(ctx, k)
}

func (c counter) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	c.n.Add(1)
	return c.Table.GetMany(ctx, keys...)
}

func (c counter) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.n.Add(1)
	return c.Table.Query(ctx, q)
}

func (c counter) Write(ctx context.Context, ops ...table.Op) error {
	c.n.Add(1)
	return c.Table.Write(ctx, ops...)
}

// processorTime is what this process has used so far, kernel included. Wall
// time is not to be had in a bubble, and is noisier.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
