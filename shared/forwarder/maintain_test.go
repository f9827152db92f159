package forwarder_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/webhook"
)

// distant answers after a while, as a table over a network does, and not at all
// when its caller's time is up.
type distant struct{ table.Table }

func (d distant) Get(ctx context.Context, k table.Key) (table.Record, error) {
	time.Sleep(4 * time.Millisecond)
	if ctx.Err() != nil {
		return table.Record{}, ctx.Err()
	}
	return d.Table.Get(ctx, k)
}

func (d distant) Query(ctx context.Context, q table.Query) (table.Page, error) {
	time.Sleep(4 * time.Millisecond)
	if ctx.Err() != nil {
		return table.Page{}, ctx.Err()
	}
	return d.Table.Query(ctx, q)
}

// However many endpoints one app leaves behind, and in whatever state, another
// app's overdue events are rung for and its endpoint that is back is drained.
func TestOneClientsEndpointsDoNotStarveTheSweeper(t *testing.T) {
	const many = 12_000
	for _, left := range []delivery.EndpointState{delivery.EndpointDisabled, delivery.EndpointOpen, delivery.EndpointDraining} {
		t.Run(string(left), func(t *testing.T) {
			o := testbed.Options{Table: func(in table.Table) table.Table { return distant{in} }}
			bubble(t, o, func(t *testing.T, w *testbed.World) {
				direct := ledger.New(w.Memory, w.Ring, ledger.Options{HashPayer: w.Payers.Hash})
				up := down(w, webhook.Result{Code: 503})
				held := orders(t, w, 12)
				w.Pass(20 * time.Minute)
				if e := endpoint(t, w); e.State != delivery.EndpointOpen {
					t.Fatalf("it is %s", e.State)
				}
				now := ledger.Clock(time.Now())
				for i := range many {
					e := delivery.Endpoint{
						ClientID: "cli_a", Origin: fmt.Sprintf("https://n%d.example.com:443", i), State: left,
						OpenedAt: now, ProbeAt: now, ClosedAt: now, DisabledAt: now, DisabledReason: "gone",
					}
					if _, err := direct.SaveEndpoint(t.Context(), e, now); err != nil {
						t.Fatal(err)
					}
				}
				run, stop := context.WithTimeout(t.Context(), 25*time.Second)
				defer stop()
				began := time.Now()
				swept, err := w.Sweeper.Sweep(run, nil)
				if took := time.Since(began); err != nil || took > 5*time.Second {
					t.Errorf("a sweep took %s (%v): %+v", took, err, swept)
				}
				up()
				w.Pass(8 * time.Minute)
				for _, reference := range held {
					if got := state(w, reference); got != delivery.Delivered {
						t.Fatalf("%s is %s", reference, got)
					}
				}
			})
		})
	}
}

// A sweep rings for what is overdue before anything else, even if the rest of
// it never ends.
func TestOverdueEventsAreRungForFirst(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := due(t, w, "ORDER-1") // and its doorbell is lost
		for {
			got, err := w.Messages.Receive(t.Context(), 10, time.Minute, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				if err := w.Messages.Delete(t.Context(), m.Receipt); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Minute)
		stuck := &failing{Table: w.Memory}
		w.Sweeper.Ledger = ledger.New(stuck, w.Ring, ledger.Options{})
		swept, err := w.Sweeper.Sweep(t.Context(), nil)
		if swept.Rung != 1 || err == nil {
			t.Errorf("%+v, %v", swept, err)
		}
		w.Sweeper.Ledger = w.Ledger
		w.Pass(time.Second)
		if got := state(w, reference); got != delivery.Delivered {
			t.Errorf("it is %s", got)
		}
	})
}

// failing knows nothing of endpoints, and nothing at all once it was asked.
type failing struct {
	table.Table
	asked bool
}

func (f *failing) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if f.asked = f.asked || q.Index == ledger.IndexAttention; f.asked {
		return table.Page{}, context.DeadlineExceeded
	}
	return f.Table.Query(ctx, q)
}

// Each of one client's endpoints that is open is probed in its turn.
func TestEveryOpenEndpointIsProbedInItsTurn(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 503} })
		const hosts = 30
		probed := map[string]bool{}
		for i := range hosts {
			w.App.Add(fmt.Sprintf("https://n%d.example.com/", i), testbed.ShopKey, testbed.ShopSecret)
			body := fmt.Sprintf(`{"callbackUrl":"https://n%d.example.com/",`, i) + testbed.Order(fmt.Sprint("E-", i), "26876123456")[1:]
			if a := w.Pay(body); a.StatusCode != http.StatusAccepted {
				t.Fatalf("%d %s", a.StatusCode, a.Body)
			}
		}
		w.Pass(2 * time.Hour) // each is open, for its one event
		n := len(w.App.Got())
		w.Pass(10 * time.Minute)
		minute := map[int64]int{}
		for _, r := range w.App.Got()[n:] {
			probed[r.URL] = true
			minute[r.At.Unix()/60]++
		}
		if len(probed) != hosts {
			t.Errorf("%d of %d were probed within ten minutes", len(probed), hosts)
		}
		for at, n := range minute {
			if n > 8 {
				t.Errorf("%d probes in minute %d", n, at)
			}
		}
	})
}
