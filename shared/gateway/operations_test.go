package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/queue"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// Payers that the provider refuses without a verdict, however many, are no
// sign that it is down: one app's bad luck must not close the shop for all.
func TestAnswersDoNotOpenTheCircuit(t *testing.T) {
	for _, plan := range []string{"mtn_461", "mtn_464"} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				for i := range 8 {
					w.Pay(testbed.Order(fmt.Sprintf("ORDER-%d", i), mtnstand.Payer(plan)))
				}
				if a := w.Pay(testbed.Order("ORDER-OTHER", "26876123456")); a.StatusCode != 202 {
					t.Errorf("after eight answered requests the next gets %d %s", a.StatusCode, a.Body)
				}
			})
		})
	}
}

// While the provider does not answer status questions, a delivery whose
// doorbell was lost is rung for all the same.
func TestTheSweeperComesBeforeAHangingProvider(t *testing.T) {
	var lose, hang atomic.Bool
	o := testbed.Options{
		Queue: func(q queue.Queue) queue.Queue { return losing{q, &lose} },
		Sandbox: func(o *mtnstand.Options) {
			o.Inject = func(c core.Call) core.Fault {
				if hang.Load() && c.Route == mtnstand.RouteStatus {
					return core.TimeoutBefore
				}
				return ""
			}
		},
	}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		lose.Store(true)
		reference := accepted(t, w, "ORDER-PAID", mtnstand.ScriptSuccess)
		w.Pass(10 * time.Second)
		if w.Status(reference) != payment.Successful {
			t.Fatalf("it is %s", w.Status(reference))
		}
		lose.Store(false)
		hang.Store(true)
		for i := range 200 {
			accepted(t, w, fmt.Sprintf("ORDER-%d", i), mtnstand.ScriptPending)
		}
		w.Pass(3 * time.Minute)
		if got := w.Story(reference).Deliveries[0].State; got != delivery.Delivered {
			t.Errorf("the delivery is %s", got)
		}
	})
}

// A run that could do nothing has failed, though all it met was its own
// deadline: an alarm has to follow.
func TestARunAgainstAHangingTableFails(t *testing.T) {
	hanging := func(inner table.Table) table.Table { return hangingTable{inner} }
	bubble(t, testbed.Options{Table: hanging}, func(t *testing.T, w *testbed.World) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		if err := w.Gateway.OnSchedule(ctx, nil); err == nil {
			t.Error("the run says that all is well")
		}
	})
}

// A table that takes its time slows questions down; it must not end them.
func TestASlowTableStillAsks(t *testing.T) {
	var slow atomic.Int64
	delayed := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(string, []table.Key) tabletest.Fault {
			time.Sleep(time.Duration(slow.Load()))
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: delayed}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", "callback_lost")
		slow.Store(int64(300 * time.Millisecond))
		w.Pass(5 * time.Minute)
		if got := w.Status(reference); got != payment.Successful {
			t.Errorf("it is %s", got)
		}
	})
}

// The function answers before its time is up, however long provider and
// token take. Without a token within three seconds there is no payment.
func TestRequestToPayKeepsTimeToAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		token time.Duration
		code  int
		most  time.Duration
		word  string
	}{
		{2 * time.Second, 202, 26 * time.Second, string(payment.PhaseInReconciliation)},
		{20 * time.Second, 503, 3 * time.Second, "provider_unavailable"},
	} {
		t.Run(c.word, func(t *testing.T) {
			o := testbed.Options{MTN: func(next http.RoundTripper) http.RoundTripper { return sluggish{next, c.token} }}
			bubble(t, o, func(t *testing.T, w *testbed.World) {
				ctx, cancel := context.WithTimeout(t.Context(), 28*time.Second)
				defer cancel()
				r := cloud.Request("POST /request-to-pay")
				r.Headers = map[string]string{"content-type": "application/json", "x-proxy-api-key": testbed.ShopKey}
				r.Body = testbed.Order("ORDER-1", "26876123456")
				started := time.Now()
				a := w.Call(ctx, r)
				if took := time.Since(started); took > c.most || a.StatusCode != c.code || !strings.Contains(a.Body, c.word) {
					t.Errorf("token after %s: answered %d %s after %v", c.token, a.StatusCode, a.Body, took)
				}
				found, err := w.Ledger.FindPayments(t.Context(), ledger.ID{Named: "ORDER-1"})
				if exists := len(found) > 0; err != nil || exists != (c.code == 202) {
					t.Errorf("token after %s: answered %d, a payment exists: %t, %v", c.token, a.StatusCode, exists, err)
				}
			})
		})
	}
}

// A clock that once ran a day ahead has left its marks behind.
func TestMarksOfAClockThatRanAhead(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		h, err := w.Ledger.FreshHealth(t.Context(), "mtn")
		if err != nil {
			t.Fatal(err)
		}
		tomorrow := time.Now().Add(24 * time.Hour)
		h.OpenedAt = tomorrow
		h.Apps = []ledger.AppHealth{{ClientID: w.Shop.ID, AskedAt: tomorrow, Failures: 5, ProbeAt: tomorrow, LimitedUntil: tomorrow}}
		if err := w.Ledger.SaveHealth(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if a := w.Pay(testbed.Order("ORDER-1", "26876123456")); a.StatusCode != 202 {
			t.Errorf("a probe time of tomorrow: %d %s", a.StatusCode, a.Body)
		}
	})
}

type losing struct {
	queue.Queue
	lose *atomic.Bool
}

func (l losing) Send(ctx context.Context, messages ...queue.Message) error {
	if l.lose.Load() {
		return nil
	}
	return l.Queue.Send(ctx, messages...)
}

type hangingTable struct{ table.Table }

func (hangingTable) Query(ctx context.Context, _ table.Query) (table.Page, error) {
	<-ctx.Done()
	return table.Page{}, ctx.Err()
}

// sluggish takes its time for a token and never answers a payment.
type sluggish struct {
	next  http.RoundTripper
	token time.Duration
}

func (s sluggish) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/collection/token/" {
		select {
		case <-time.After(s.token):
			return s.next.RoundTrip(r)
		case <-r.Context().Done():
		}
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// An app with far more open payments than the provider's limit can follow
// delays its own, not the others'.
func TestAGreedyAppDelaysItself(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i := range 6_000 { // 5 a second for twenty minutes
			r := cloud.Request("POST /request-to-pay")
			r.Headers = map[string]string{"content-type": "application/json", "x-proxy-api-key": testbed.OtherKey}
			r.Body = testbed.Order(fmt.Sprintf("GREEDY-%d", i), mtnstand.Payer(mtnstand.ScriptPending))
			if a := w.Call(t.Context(), r); a.StatusCode != 202 {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
		}
		w.Pass(30 * time.Minute)
		var own []string
		for i := range 8 { // over all shards
			own = append(own, accepted(t, w, fmt.Sprintf("ORDER-%d", i), "callback_lost"))
		}
		w.Pass(5 * time.Minute)
		for _, reference := range own {
			if got := w.Status(reference); got != payment.Successful {
				t.Errorf("%s of the modest app is %s", reference, got)
			}
		}
	})
}

// Forged callbacks about payments that have ended take nobody's turn.
func TestForgedNewsOfEndedPaymentsWakesNothing(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var ended []string
		for i := range 300 {
			ended = append(ended, accepted(t, w, fmt.Sprintf("PAID-%d", i), mtnstand.ScriptSuccess))
		}
		w.Pass(5 * time.Minute)
		for i := range ended {
			r := cloud.Request("POST /callback")
			r.Body = fmt.Sprintf(`{"externalId":"PAID-%d","status":"FAILED"}`, i)
			w.Call(t.Context(), r)
		}
		for _, reference := range ended {
			if p := w.Payment(reference); !p.NextCheckAt.IsZero() {
				t.Fatalf("%s, which is %s, is due again at %v", reference, p.Status, p.NextCheckAt)
			}
		}
	})
}
