package gateway_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// What a bare callback does to the table and to the provider is the same
// whether there is such an order or not, and open or not: else its time would
// tell.
func TestABareCallbackTellsNothing(t *testing.T) {
	var mu sync.Mutex
	var calls []string
	watched := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, fmt.Sprintf("%s of %d", op, len(keys)))
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: watched}, func(t *testing.T, w *testbed.World) {
		accepted(t, w, "PAID", mtnstand.ScriptSuccess)
		w.Pass(5 * time.Minute)
		open := accepted(t, w, "OPEN", mtnstand.ScriptPending)
		w.Pass(time.Minute)
		asked, _ := w.Sandbox.Payment(open)
		writes := map[string][]string{}
		for _, order := range []string{"OPEN", "PAID", "NOBODY"} {
			calls = nil
			began := time.Now()
			w.CallBack("POST", "", `{"externalId":"`+order+`","status":"SUCCESSFUL"}`)
			if took := time.Since(began); took != 0 {
				t.Errorf("%s: it waited %s", order, took)
			}
			for _, c := range calls {
				if strings.HasPrefix(c, tabletest.OpWrite) {
					writes[order] = append(writes[order], c)
				}
			}
		}
		for _, order := range []string{"PAID", "NOBODY"} {
			if diff := cmp.Diff(writes["OPEN"], writes[order]); diff != "" || len(writes[order]) != 1 {
				t.Errorf("%s is written otherwise than an open order:\n%s", order, diff)
			}
		}
		if again, _ := w.Sandbox.Payment(open); again.Polls != asked.Polls {
			t.Error("the provider was asked inside the request")
		}
	})
}

// The schedule asks soon about a payment that a bare callback names, though
// its next check is far off.
func TestABareCallbackIsAskedAboutSoon(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		for time.Until(w.Payment(reference).NextCheckAt) < 10*time.Minute {
			w.Pass(time.Minute)
		}
		if err := w.Sandbox.SetOutcome(reference, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL"}`)
		w.Pass(time.Minute)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("it is %s", got)
		}
	})
}

// A flood of forged callbacks leaves few records behind, in a payment's trail
// and among the unmatched, over all processes.
func TestForgedCallbacksAreFewInTheTrail(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		before := len(w.Trail(reference))
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		for range 3 { // processes
			for i := range 1_000 {
				w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"FAILED","filler":"`+strings.Repeat("x", 5_000)+`"}`)
				w.CallBack("POST", "", fmt.Sprintf(`{"externalId":"NOBODY-%d","status":"FAILED"}`, i))
				w.CallBack("POST", reference+"/guess", `{"status":"FAILED"}`)
			}
			w.Restart(testbed.Options{})
		}
		hints := w.Trail(reference)[before:]
		if len(hints) != 4 {
			t.Errorf("%d hints are in the payment's trail, want 4", len(hints))
		}
		for _, a := range hints {
			if len(a.RequestBody) > 1<<10 {
				t.Errorf("%d bytes of a hint's body are kept", len(a.RequestBody))
			}
		}
		unmatched, err := w.Ledger.AuditPage(t.Context(), ledger.AuditQuery{Kind: ledger.AuditUnmatched, Hour: time.Now()})
		if err != nil || len(unmatched.Items) == 0 || len(unmatched.Items) > 60 {
			t.Errorf("%d unmatched callbacks are kept, %v", len(unmatched.Items), err)
		}
	})
}

// A forged success of a payment that has failed has it asked about once, not
// again and again.
func TestABareCallbackAboutAFailedPaymentIsAskedOnce(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", "mtn_451")
		w.Pass(time.Hour)
		if got := w.Status(reference); got != payment.Failed {
			t.Fatalf("it is %s", got)
		}
		before, _ := w.Sandbox.Payment(reference)
		w.CallBack("POST", "", `{"referenceId":"`+reference+`","status":"SUCCESSFUL"}`)
		w.Pass(2 * time.Hour)
		after, _ := w.Sandbox.Payment(reference)
		if asks := after.Polls - before.Polls; asks != 1 || !w.Payment(reference).NextCheckAt.IsZero() {
			t.Errorf("asked %d times, the next check is at %s", asks, w.Payment(reference).NextCheckAt)
		}
	})
}

// A callback that comes while payments cannot be read is kept as such, by its
// sender's standing: anybody's within a hint's bounds, a provider's whole. None
// counts as unmatched, and the schedule finds the ending.
func TestACallbackThatMeetsATableFaultIsKept(t *testing.T) {
	var broken atomic.Bool
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if broken.Load() && op != tabletest.OpWrite && keys[0].Space == table.Main {
				return tabletest.Fault{When: tabletest.Before, Err: table.ErrUnavailable}
			}
			return tabletest.Fault{}
		})
	}
	o := testbed.Options{Table: faulty}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		mtn := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		link := w.Pay(moment("ORDER-2", "link", "150.51")).Reference()
		path := w.CallbackPath(mtn)
		time.Sleep(time.Second) // MomentPay's own event about the link is in
		broken.Store(true)
		filler := strings.Repeat("filler", 500)
		w.CallBack("POST", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL","filler":"`+filler+`"}`)
		w.CallBack("POST", path, `{"status":"SUCCESSFUL","filler":"`+filler+`"}`)
		w.Webhook("POST /webhooks/mom-factura/{token}", w.Account("mom-factura")["MOMFACTURA_WEBHOOK_TOKEN"], nil, `{"event":"payment.confirmed","ekwanzaTransactionId":"tx-1","filler":"`+filler+`"}`)
		if a := signed(t, w, link); a.StatusCode != 503 { // MomentPay sends it again
			t.Errorf("MomentPay is answered %d %s", a.StatusCode, a.Body)
		}
		kept, err := w.Ledger.AuditPage(t.Context(), ledger.AuditQuery{Kind: ledger.AuditUnmatched, Hour: time.Now()})
		if err != nil || len(kept.Items) != 4 {
			t.Fatalf("%d are kept (%v)", len(kept.Items), err)
		}
		for _, a := range kept.Items {
			if a.Note != "not matched: table unavailable" || a.Reference != "" {
				t.Errorf("%s of %q: note %q", a.URL, a.Reference, a.Note)
			}
			if strings.HasPrefix(a.URL, "/callback") != (len(a.RequestBody) == 1<<10) || strings.Contains(a.RequestBody, path) {
				t.Errorf("%s: %d bytes are kept: %.40s", a.URL, len(a.RequestBody), a.RequestBody)
			}
		}
		if log := w.Log(); strings.Contains(log, "callback.unmatched") || strings.Count(log, `"callback.failed"`) != 4 {
			t.Error(log)
		}
		broken.Store(false)
		if err := w.Sandbox.SetOutcome(mtn, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Hour)
		if got := w.Status(mtn); got != payment.Successful {
			t.Errorf("MTN's is %s an hour later", got)
		}
	})
}
