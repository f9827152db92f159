package gateway_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/payment"
)

// What one app does, or lets happen, takes nothing of a provider from
// another, which asks for ten bank references a minute.

// neighbour asks for a payment every six seconds for ten minutes, while
// trouble goes on, and counts those refused.
func neighbour(t *testing.T, w *testbed.World, trouble func(now time.Time)) (taken, refused int) {
	t.Helper()
	start := time.Now()
	next := start
	for time.Since(start) < 10*time.Minute {
		trouble(time.Now())
		if !time.Now().Before(next) {
			next = next.Add(6 * time.Second)
			body := factura(fmt.Sprint("GOOD-", next.Unix()), "reference", "1500.00")
			if w.Pay(body, "x-proxy-api-key", testbed.OtherKey).StatusCode == 202 {
				taken++
			} else {
				refused++
			}
		}
		time.Sleep(250 * time.Millisecond)
	}
	return taken, refused
}

func TestNeighbourOfRequestsThatMakeNoPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.Pay(factura("ORDER-1", "reference", "1500.10"))
		time.Sleep(time.Minute)
		taken, refused := neighbour(t, w, func(time.Time) {
			if a := w.Pay(factura("ORDER-1", "reference", "1500.10")); a.StatusCode != 409 {
				t.Fatalf("the order was answered %d %s", a.StatusCode, a.Body)
			}
		})
		if refused > 0 || taken != 100 {
			t.Errorf("%d taken, %d refused", taken, refused)
		}
	})
}

func TestNeighbourOfForgedWebhooks(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var ids []string
		for i := range 60 {
			a := paced(t, w, factura(fmt.Sprint("ORDER-", i), "reference", "1500.10"))
			ids = append(ids, w.Payment(a.Reference()).IDs["operationId"])
		}
		time.Sleep(time.Minute)
		n := 0
		taken, refused := neighbour(t, w, func(time.Time) {
			for range 2 {
				n++
				w.Webhook("POST /webhooks/mom-factura/{token}", "guess", nil,
					fmt.Sprintf(`{"event":"payment.confirmed","operationStatus":"1","operationId":%q}`, ids[n%len(ids)]))
			}
		})
		if refused > 0 || taken != 100 {
			t.Errorf("%d taken, %d refused", taken, refused)
		}
	})
}

// A payer who does not pick up is no outage.
func TestNeighbourOfSlowPayers(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var slow sync.WaitGroup
		for i := range 12 {
			slow.Go(func() { w.Pay(factura(fmt.Sprint("SLOW-", i), "mcx", "1500.32")) })
			time.Sleep(5 * time.Second)
		}
		slow.Wait()
		for i := range 3 {
			if a := w.Pay(factura(fmt.Sprint("GOOD-", i), "reference", "1500.00"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
				t.Errorf("a bank reference was answered %d %s", a.StatusCode, a.Body)
			}
			time.Sleep(20 * time.Second)
		}
	})
}

// A backlog is worked off at nearly the rate that the provider takes, by as
// many workers as are deployed, and submissions go on beside it.
func TestBacklogIsWorkedOffInTime(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i := range 250 {
			paced(t, w, factura(fmt.Sprint("ORDER-", i), "reference", "1500.10"))
		}
		if err := testbed.Standin[*facturastand.Standin](w).AddRule(core.Rule{Route: facturastand.RouteStatus, DelayMs: 300}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		before := testbed.Standin[*facturastand.Standin](w).Counters().Requests[facturastand.RouteStatus]
		for i := range 5 {
			if a := w.Pay(factura(fmt.Sprint("GOOD-", i), "reference", "1500.00"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
				t.Errorf("a submission was answered %d %s", a.StatusCode, a.Body)
			}
			w.Pass(time.Minute)
		}
		c := testbed.Standin[*facturastand.Standin](w).Counters()
		if asked := c.Requests[facturastand.RouteStatus] - before; asked < 5*40 {
			t.Errorf("%d questions in five minutes", asked)
		} else {
			t.Logf("%d questions in five minutes; runs of 42 s each at most 70 a minute", asked)
		}
		if c.Violations() > 0 {
			t.Errorf("limits broken: %+v", c.Limits)
		}
	})
}

// What is being submitted at this moment cannot be called failed by hand: the
// provider may be taking it.
func TestSettleWhileSubmitting(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		answered := make(chan testbed.Answer, 1)
		go func() {
			answered <- w.Pay(testbed.Order("ORDER-1", mtnstand.Payer("timeout_once")), "idempotency-key", "k")
		}()
		time.Sleep(2 * time.Second)
		reference := payment.ReferenceFor(w.Shop.ID, "k")
		_, err := w.Gateway.Settle(t.Context(), reference, gateway.Settlement{Verdict: payment.SaysFailed, Reason: "x", Operator: "thandi"})
		if !errors.Is(err, gateway.ErrSubmitting) {
			t.Errorf("settled: %v", err)
		}
		if a := <-answered; a.StatusCode != 202 || w.Status(reference).Ended() {
			t.Errorf("answered %d, the payment is %s", a.StatusCode, w.Status(reference))
		}
	})
}
