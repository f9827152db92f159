package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
)

// reconcileBound is within which a payment whose callback is lost must reach
// its true end, counted from when the provider ended it: checks double, so
// the next one is at most as far off as the payment was old, and the runs are
// a minute apart; the rest is for a thousand of them sharing the limit.
const reconcileBound = 6 * time.Minute

func TestAThousandLostCallbacks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const payments = 1000
		truth := map[string]payment.Status{}
		plans := []struct {
			plan string
			end  payment.Status
		}{
			{"callback_lost", payment.Successful},
			{"callback_forged_only", payment.Failed}, // the true callback is lost, a forged one comes
		}
		for i := range payments {
			p := plans[i%len(plans)]
			a := w.Pay(testbed.Order(fmt.Sprintf("ORDER-%d", i), mtnstand.Payer(p.plan)))
			if a.StatusCode != 202 {
				t.Fatalf("payment %d answered %d %s", i, a.StatusCode, a.Body)
			}
			truth[a.Reference()] = p.end
		}
		w.Pass(reconcileBound)
		for reference, want := range truth {
			if got := w.Status(reference); got != want {
				t.Fatalf("%s is %s after %v, not %s as at MTN", reference, got, reconcileBound, want)
			}
		}
		c := w.Sandbox.Counters()
		if c.Violations() > 0 || c.Limits[mtnstand.LimitGETs].Most > 10 {
			t.Errorf("MTN counted %d GETs in one second, %d violations of its limit", c.Limits[mtnstand.LimitGETs].Most, c.Violations())
		}
		if w.Charged() != payments/2 {
			t.Errorf("charged %d times, want %d", w.Charged(), payments/2)
		}
		t.Logf("%d payments, at most %d GETs a second", payments, c.Limits[mtnstand.LimitGETs].Most)
	})
}

// Ten thousand forged callbacks in one burst, of every kind: the answer never
// differs, nothing changes, MTN's limit holds, and the truth still arrives.
func TestABurstOfForgedCallbacks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		pending := accepted(t, w, "ORDER-PENDING", "callback_forged_pending")
		failed := accepted(t, w, "ORDER-FAILED", "callback_forged_only")
		w.Pass(2 * time.Minute)
		if got := w.Status(failed); got != payment.Failed {
			t.Fatalf("the failed payment is %s", got)
		}
		before := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]
		started := time.Now()
		for i := range 10_000 {
			var r = cloud.Request("POST /callback")
			switch i % 5 {
			case 0: // right id, wrong token
				r = cloud.Request("POST /callback/{referenceId}/{token}", pending, fmt.Sprintf("forged-%d", i))
				r.Body = `{"status":"SUCCESSFUL","financialTransactionId":"1"}`
			case 1:
				r.Body = `{"externalId":"ORDER-PENDING","status":"SUCCESSFUL","financialTransactionId":"1"}`
			case 2:
				r.Body = fmt.Sprintf(`{"referenceId":%q,"status":"SUCCESSFUL"}`, pending)
			case 3:
				r.Body = fmt.Sprintf(`{"externalId":%q,"status":"SUCCESSFUL"}`, failed)
			case 4:
				r.Body = fmt.Sprintf(`{"externalId":"ORDER-%d","status":"SUCCESSFUL"}`, i)
			}
			if a := w.Call(t.Context(), r); a.StatusCode != 200 || a.Body != `{"received":true}` {
				t.Fatalf("forged callback %d was answered %d %s", i, a.StatusCode, a.Body)
			}
		}
		if w.Status(pending) != payment.Pending || w.Status(failed) != payment.Failed {
			t.Errorf("after the burst the payments are %s and %s", w.Status(pending), w.Status(failed))
		}
		asked := w.Sandbox.Counters().Requests[mtnstand.RouteStatus] - before
		if most := 4 + 2*int(time.Since(started)/(5*time.Second)); asked > most {
			t.Errorf("the burst led to %d questions to MTN, more than %d", asked, most)
		}
		if c := w.Sandbox.Counters(); c.Violations() > 0 {
			t.Errorf("MTN's limit was broken %d times", c.Violations())
		}
		if err := w.Sandbox.SetOutcome(pending, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Hour)
		if got := w.Status(pending); got != payment.Successful {
			t.Errorf("the true outcome did not arrive: %s", got)
		}
		for _, r := range w.App.Got() {
			if r.Content.ReferenceID == failed && r.Content.Status != "FAILED" {
				t.Errorf("announced %s of the failed payment", r.Content.Status)
			}
		}
	})
}
