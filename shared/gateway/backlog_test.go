package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

func lines(w *testbed.World, message string) []string {
	var found []string
	for line := range strings.Lines(w.Log()) {
		if strings.Contains(line, `"message":"`+message+`"`) {
			found = append(found, line)
		}
	}
	return found
}

// However often the reconciler runs, the backlog is logged once a minute.
func TestBacklogIsLoggedOnceAMinute(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		start := len(lines(w, "backlog"))
		for range 60 {
			w.Reconcile(t.Context())
			time.Sleep(2 * time.Second) // virtual
		}
		if got := len(lines(w, "backlog")) - start; got < 2 || got > 4 { // background runs fall into the same minutes
			t.Errorf("%d in two minutes", got)
		}
	})
}

// A backlog that cannot be read is logged, and the run continues.
func TestBacklogNeverFailsTheRun(t *testing.T) {
	var broken atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if broken.Load() && len(keys) > 0 && (keys[0].Partition == "attention" || keys[0].Partition == "health") {
				return tabletest.Fault{When: tabletest.Before}
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", "callback_lost")
		broken.Store(true)
		w.Pass(5 * time.Minute)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("it is %s", got)
		}
		if len(lines(w, "backlog.failed")) == 0 {
			t.Error("nobody is told")
		}
	})
}

// A circuit is logged as open while requests are refused, and not all night
// because nobody asks.
func TestBacklogTellsOfTheCircuit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		open := func() bool {
			all := slices.DeleteFunc(lines(w, "backlog.provider"), func(l string) bool { return !strings.Contains(l, `"provider":"mtn"`) })
			return len(all) > 0 && strings.Contains(all[len(all)-1], `"circuit_open":true`)
		}
		w.Pass(2 * time.Minute)
		if open() {
			t.Error("open before anything happened")
		}
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.TimeoutBefore}); err != nil {
			t.Fatal(err)
		}
		for i, order := range []string{"A", "B", "C", "D", "E"} {
			w.Pay(testbed.Order(order, fmt.Sprint("2687612345", i%3)))
		}
		w.Pass(2 * time.Minute)
		if !open() {
			t.Error("five requests went unanswered, and it is told as closed")
		}
		w.Pass(15 * time.Minute)
		if open() {
			t.Error("nobody has asked for a quarter of an hour, and it is told as open")
		}
	})
}
