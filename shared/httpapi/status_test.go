package httpapi_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

func TestStatusOfAnotherApp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		asked := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]
		refused := is(t, w.Ask(a.Reference(), testbed.OtherKey), 403, "forbidden")
		golden(t, "error/403-forbidden", refused.Body)
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != asked {
			t.Error("another app made us ask MTN")
		}
		is(t, w.Ask(a.Reference(), ""), 401, "unauthorized")
		is(t, w.Ask(strings.ToUpper(a.Reference()), testbed.ShopKey), 200, "")
	})
}

func TestStatusOfNothing(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, ref := range []string{"00000000-0000-4000-8000-000000000000", "ORDER-1", "", "\x00", "\xff", strings.Repeat("a", 10_000), "payment#x", "..%2F"} {
			a := is(t, w.Ask(ref, testbed.ShopKey), 404, "not_found")
			golden(t, "error/404-not-found", a.Body)
		}
	})
}

// An open payment is asked about at MTN, as often as the interval allows.
func TestStatusPolls(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer("callback_lost"))), 202, "")
		for range 10 {
			is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "")
		}
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != 1 {
			t.Errorf("MTN was asked %d times at once", n)
		}
		time.Sleep(5 * time.Second)
		if s := is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, ""); s.Text("status") != "SUCCESSFUL" {
			t.Errorf("%s", s.Body)
		}
		endsOnce(t, w, a.Reference(), payment.Successful, time.Minute)
	})
}

// A status question that MTN does not answer is answered from the table.
func TestStatusWhenProviderIsDown(t *testing.T) {
	for _, fault := range []core.Fault{core.TimeoutBefore, core.Error503Before, core.HTML200Before, core.Truncated, core.Error401Before} {
		t.Run(string(fault), func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
				if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: fault}); err != nil {
					t.Fatal(err)
				}
				if s := is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, ""); s.Text("status") != "PENDING" {
					t.Errorf("%s", s.Body)
				}
				w.Pass(time.Hour)
				if w.Status(a.Reference()) != payment.Pending {
					t.Errorf("%s without evidence", w.Status(a.Reference()))
				}
				w.Sandbox.ClearRules()
				endsOnce(t, w, a.Reference(), payment.Successful, 3*time.Hour)
			})
		})
	}
}

// What MTN says about another amount, currency or payer holds the payment.
func TestStatusHeld(t *testing.T) {
	for _, plan := range []string{"status_wrong_amount", "status_wrong_payer", "status_wrong_currency"} {
		t.Run(plan, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(plan))), 202, "")
				w.Pass(8 * 24 * time.Hour)
				s := is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "")
				if s.Text("status") != "PENDING" || s.Text("phase") != "held" || len(w.App.Got()) != 0 {
					t.Errorf("%s; the app received %d callbacks", s.Body, len(w.App.Got()))
				}
				if plan == "status_wrong_amount" {
					golden(t, "status/held", s.Body)
				}
			})
		})
	}
}

// tableDown makes the table fail as err says while down is true.
func tableDown(down *atomic.Bool, err error) testbed.Options {
	return testbed.Options{Table: func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(string, []table.Key) tabletest.Fault {
			if down.Load() {
				return tabletest.Fault{When: tabletest.Before, Err: err}
			}
			return tabletest.Fault{}
		})
	}}
}

func TestTableDown(t *testing.T) {
	for name, err := range map[string]error{"unavailable": table.ErrUnavailable, "unknown": nil, "internal words": errors.New("dial tcp 10.0.0.7: secret host")} {
		t.Run(name, func(t *testing.T) {
			var down atomic.Bool
			down.Store(true)
			bubble(t, tableDown(&down, err), func(t *testing.T, w *testbed.World) {
				a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 503, "unavailable")
				wait(t, a)
				golden(t, "error/503-unavailable", a.Body)
				wait(t, is(t, w.Ask("00000000-0000-4000-8000-000000000000", testbed.ShopKey), 503, "unavailable"))
				h := is(t, w.Call(t.Context(), cloud.Request("GET /health")), 503, "table_unreachable")
				golden(t, "health/503", h.Body)
				nothingCreated(t, w)
				down.Store(false)
				is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
				// Known to the cache of clients now, and down again.
				down.Store(true)
				is(t, w.Pay(testbed.Order("ORDER-2", good)), 503, "unavailable")
			})
		})
	}
}

// A record that cannot be read back is our fault, reported as such and no more.
func TestCorruptRecords(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", good)), 202, "")
		for _, r := range w.Records() {
			if r.Space == table.Main && r.Sort == "payment" {
				r.Attributes["amount_minor"] = "a lot"
				if err := w.Memory.Write(t.Context(), table.Put(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
		is(t, w.Ask(a.Reference(), testbed.ShopKey), 500, "internal")
		is(t, w.Pay(testbed.Order("ORDER-1", good)), 500, "internal") // its holder cannot be read
		received(t, "callback", w.CallBack("POST", w.CallbackPath(a.Reference()), `{"status":"SUCCESSFUL"}`))
		is(t, w.Pay(testbed.Order("ORDER-2", good)), 202, "")
	})
}

// A panic inside is one answer's fault.
func TestPanicIsAnswered(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.Gateway.CheckURL = func(string) error { panic("check " + testbed.ShopKey) }
		a := w.Pay(strings.Replace(testbed.Order("ORDER-1", good), "{", `{"callbackUrl":"https://shop.example.com/",`, 1))
		is(t, a, 500, "internal")
		if strings.Contains(a.Body, "check") || !strings.Contains(w.Log(), "request.panic") {
			t.Errorf("%s; log: %s", a.Body, w.Log())
		}
	})
}
