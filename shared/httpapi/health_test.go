package httpapi_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// health asks both ways, which must agree, and returns GET's answer.
func health(t *testing.T, w *testbed.World, status int, code string) testbed.Answer {
	t.Helper()
	get := is(t, w.Call(t.Context(), cloud.Request("GET /health")), status, code)
	if head := w.Call(t.Context(), cloud.Request("HEAD /health")); head.StatusCode != status || head.Body != "" {
		t.Errorf("HEAD: %d %q", head.StatusCode, head.Body)
	}
	return get
}

func TestHealth(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		golden(t, "health/200-not-yet", health(t, w, 200, "").Body)
		w.Reconcile(t.Context())
		golden(t, "health/200", health(t, w, 200, "").Body)
		w.API.Health.QueueCheck = nil // a panic
		golden(t, "error/500-internal", is(t, w.Call(t.Context(), cloud.Request("GET /health")), 500, "internal").Body)
	})
	t.Run("queue down", func(t *testing.T) {
		bubble(t, testbed.Options{Queue: deaf}, func(t *testing.T, w *testbed.World) {
			golden(t, "health/503-queue", health(t, w, 503, "queue_unreachable").Body)
		})
	})
}

func TestHealthOfASilentReconciler(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const limit = 3 * time.Minute
		reconciler := func(want string, a testbed.Answer) {
			t.Helper()
			if a.Text("reconciler") != want {
				t.Errorf("the reconciler is %q, not %q", a.Text("reconciler"), want)
			}
		}
		// A new deployment waits for the first heartbeat for as long as for a next one.
		time.Sleep(limit)
		reconciler("not_yet", health(t, w, 200, ""))
		time.Sleep(time.Millisecond)
		reconciler("silent", health(t, w, 503, "reconciler_silent"))
		w.Reconcile(t.Context())
		time.Sleep(limit)
		reconciler("ok", health(t, w, 200, ""))
		time.Sleep(time.Millisecond)
		golden(t, "health/503-reconciler", health(t, w, 503, "reconciler_silent").Body)
		if !strings.Contains(w.Log(), `"health.reconciler_silent"`) {
			t.Error("the log does not say it")
		}
		// A clock that ran ahead hides no silence, and the next run puts it right.
		if err := w.Ledger.Beat(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		reconciler("silent", health(t, w, 503, "reconciler_silent"))
		w.Reconcile(t.Context())
		reconciler("ok", health(t, w, 200, ""))
	})
}

// While the table takes no writes, as with a full disk, reads go on as ever:
// only the heartbeat shows it.
func TestHealthOfAFullTable(t *testing.T) {
	var full atomic.Bool
	o := testbed.Options{Table: func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, _ []table.Key) tabletest.Fault {
			if op == tabletest.OpWrite && full.Load() {
				return tabletest.Fault{When: tabletest.Before, Err: errors.New("database or disk is full")}
			}
			return tabletest.Fault{}
		})
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		w.Pass(10 * time.Minute)
		if a := health(t, w, 200, ""); a.Text("reconciler") != "ok" {
			t.Errorf("%s", a.Body)
		}
		full.Store(true)
		w.Pass(2 * time.Minute)
		health(t, w, 200, "")
		w.Pass(2 * time.Minute)
		health(t, w, 503, "reconciler_silent")
		if a := w.Pay(testbed.Order("ORDER-1", good)); a.StatusCode != 503 {
			t.Errorf("a payment that cannot be stored: %d %s", a.StatusCode, a.Body)
		}
		if !strings.Contains(w.Log(), `"level":"ERROR","message":"heartbeat.failed"`) {
			t.Errorf("the log does not say that the heartbeat failed")
		}
		full.Store(false)
		w.Pass(2 * time.Minute)
		health(t, w, 200, "")
	})
}

// hanging answers no request before its context ends.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A provider that hangs, or an app with many payments, is no reason to call
// the system unhealthy.
func TestHealthWhileAProviderHangs(t *testing.T) {
	bubble(t, testbed.Options{MTN: func(http.RoundTripper) http.RoundTripper { return hanging{} }}, func(t *testing.T, w *testbed.World) {
		for i := range 20 {
			w.Pay(testbed.Order("ORDER-"+string(rune('A'+i)), good)) // 202, until the circuit opens
		}
		w.Pass(10 * time.Minute)
		health(t, w, 200, "")
	})
}
