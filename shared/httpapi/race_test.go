package httpapi_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
)

// together runs the same thing many times at once and collects the answers.
func together(n int, do func(i int) testbed.Answer) []testbed.Answer {
	answers := make([]testbed.Answer, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { answers[i] = do(i) })
	}
	wg.Wait()
	return answers
}

func TestRaceForOneExternalID(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		codes := map[int]int{}
		references := map[string]bool{}
		for _, a := range together(24, func(i int) testbed.Answer {
			return w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", fmt.Sprint(i))
		}) {
			codes[a.StatusCode]++
			references[a.Reference()] = true
		}
		if codes[202] != 1 || codes[409] != 23 || len(references) != 1 || len(w.Sandbox.Ledger()) != 1 {
			t.Errorf("answers %v, references %v, %d payments at MTN", codes, references, len(w.Sandbox.Ledger()))
		}
	})
}

func TestRaceUnderOneIdempotencyKey(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, DelayMs: 300, Times: 1}); err != nil {
			t.Fatal(err)
		}
		bodies := map[string]int{}
		for _, a := range together(24, func(i int) testbed.Answer {
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			return w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k")
		}) {
			if a.StatusCode == 202 {
				bodies[a.Body]++
			} else if a.Code() != "request_in_progress" {
				t.Errorf("%d %s", a.StatusCode, a.Body)
			}
		}
		if len(bodies) != 1 {
			t.Errorf("several answers under one key: %v", bodies)
		}
		if l := w.Sandbox.Ledger(); len(l) != 1 || l[0].Asks != 1 {
			t.Errorf("MTN's books: %+v", l)
		}
	})
}

// Callbacks, status questions and reconciler runs about one payment all at
// once make one event, and the questions keep the interval.
func TestRaceToTheEnd(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer("callback_lost"))), 202, "")
		time.Sleep(11 * time.Second)
		path := w.CallbackPath(a.Reference())
		together(30, func(i int) testbed.Answer {
			switch i % 4 {
			case 0:
				return w.Ask(a.Reference(), testbed.ShopKey)
			case 1:
				return w.CallBack("POST", path, `{"status":"SUCCESSFUL"}`)
			case 2:
				return w.CallBack("PUT", "", `{"externalId":"ORDER-1","status":"SUCCESSFUL"}`)
			}
			w.Reconcile(context.Background())
			return testbed.Answer{}
		})
		synctest.Wait()
		if d := w.Story(a.Reference()).Deliveries; len(d) != 1 {
			t.Errorf("%d events", len(d))
		}
		endsOnce(t, w, a.Reference(), payment.Successful, time.Hour)
		if c := w.Sandbox.Counters(); c.Violations() != 0 {
			t.Errorf("MTN's limit was exceeded %d times", c.Violations())
		}
	})
}

// Many apps' payments at once are asked about within MTN's limit.
func TestReconcilerKeepsMTNsLimit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		const n = 120
		for i := range n {
			is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer("callback_lost"))), 202, "")
		}
		time.Sleep(time.Minute)
		together(3, func(int) testbed.Answer { w.Reconcile(context.Background()); return testbed.Answer{} })
		w.Pass(20 * time.Minute)
		if c := w.Sandbox.Counters(); c.Violations() != 0 {
			t.Errorf("MTN's limit was exceeded %d times", c.Violations())
		}
		if got := len(w.App.Got()); got != n {
			t.Errorf("%d of %d payments were announced", got, n)
		}
	})
}
