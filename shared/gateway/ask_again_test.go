package gateway_test

import (
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
)

// A question that met a token which had just ended is put once more, in a turn of its own.
func TestAskAgain(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptPending)
		if err := w.Sandbox.SetOutcome(reference, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: core.Error401Before, Times: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		started := time.Now()
		if a := w.Ask(reference, testbed.ShopKey); a.Text("status") != string(payment.Successful) {
			t.Errorf("answered %s", a.Body)
		}
		if took := time.Since(started); took < 125*time.Millisecond {
			t.Errorf("both questions within %s: the second had no turn of its own", took)
		}
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != 2 {
			t.Errorf("MTN was asked %d times", n)
		}
		asked := 0
		for _, a := range w.Trail(reference) {
			if a.Method == "GET" {
				asked++
			}
		}
		if asked != 2 {
			t.Errorf("%d questions in the audit trail", asked)
		}
	})
}
