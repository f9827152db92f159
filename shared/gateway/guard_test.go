package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// beside has an ordinary app ask for a payment once a second for a minute, and
// says how many of its requests were refused and what the slowest hundredth
// took. trouble, once for each of threads, is another app's requests all the
// while.
func beside(t *testing.T, w *testbed.World, threads int, every time.Duration, trouble func(n int)) (refused int, p99 time.Duration) {
	t.Helper()
	end := time.Now().Add(time.Minute)
	var all sync.WaitGroup
	for thread := range threads {
		all.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				trouble(thread*100_000 + i)
				time.Sleep(every)
			}
		})
	}
	var took []time.Duration
	for i := 0; time.Now().Before(end); i++ {
		began := time.Now()
		if a := w.Pay(testbed.Order(fmt.Sprint("GOOD-", end.Unix(), "-", i), "26876123456"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
			refused++
		}
		took = append(took, time.Since(began))
		time.Sleep(time.Second - time.Since(began)%time.Second)
	}
	all.Wait()
	slices.Sort(took)
	return refused, took[len(took)*99/100]
}

// An app whose payers' requests the provider leaves unanswered, or answers
// with 429, takes nothing from the app beside it, however often it asks and in
// any order.
func TestNeighbourOfFailingPayers(t *testing.T) {
	payers := []string{mtnstand.Payer("error503"), mtnstand.Payer("error429"), mtnstand.Payer("timeout_before"), mtnstand.Payer("reset_before"), mtnstand.Payer("html200")}
	for name, c := range map[string]struct {
		threads int
		every   time.Duration
		payers  []string
		first   bool // the ordinary app has asked before
	}{
		"503":                {1, 200 * time.Millisecond, payers[:1], false},
		"429":                {1, 200 * time.Millisecond, payers[1:2], false},
		"both":               {1, 200 * time.Millisecond, payers[:2], true},
		"both, 16 at a time": {16, 50 * time.Millisecond, payers[:2], false},
		"all, 16 at a time":  {16, 50 * time.Millisecond, payers, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, DelayMs: 80, Match: core.Match{Payer: "26876123456"}}); err != nil {
					t.Fatal(err)
				}
				_, alone := beside(t, w, 0, time.Second, nil)
				if !c.first {
					time.Sleep(20 * time.Minute)
					for i := range 20 { // opens the circuit, if anything does
						w.Pay(testbed.Order(fmt.Sprint("FIRST-", i), c.payers[i%len(c.payers)]))
					}
				}
				refused, p99 := beside(t, w, c.threads, c.every, func(n int) {
					w.Pay(testbed.Order(fmt.Sprint("BAD-", n), c.payers[n%len(c.payers)]))
				})
				if refused > 0 || p99 > alone+50*time.Millisecond {
					t.Errorf("%d of 60 refused; p99 %s, %s without the other app", refused, p99, alone)
				}
			})
		})
	}
}

// An app whose payers all fail is kept out itself, and goes on when they do
// not.
func TestAnAppIsKeptOutAlone(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for i, plan := range []string{"error503", "reset_before", "timeout_before", "error503", "reset_before"} {
			accepted(t, w, fmt.Sprint("BAD-", i), plan)
		}
		if a := w.Pay(testbed.Order("ORDER-1", "26876123456")); a.StatusCode != 503 || a.Text("code") != "provider_unavailable" {
			t.Errorf("it is answered %d %s", a.StatusCode, a.Body)
		}
		opened := lines(w, "breaker.opened")
		if len(opened) != 1 || !strings.Contains(opened[0], `"open_for":"`+w.Shop.ID+`"`) {
			t.Errorf("told as %q", opened)
		}
		time.Sleep(30 * time.Second)
		accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		accepted(t, w, "ORDER-2", mtnstand.ScriptSuccess)
	})
}

// What a provider asks for with a 429 is kept to by the app that met it.
func TestRetryAfterOfAProvider(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := testbed.Standin[*facturastand.Standin](w).AddRule(core.Rule{Fault: core.Error429Before, Times: 1}); err != nil {
			t.Fatal(err)
		}
		w.Pay(factura("ORDER-1", "reference", "1500.00"))
		a := w.Pay(factura("ORDER-2", "reference", "1500.00"))
		if a.StatusCode != 503 || a.Text("code") != "provider_busy" || a.Headers["retry-after"] != "3" {
			t.Errorf("after a 429: %d %s %v", a.StatusCode, a.Body, a.Headers)
		}
		if a := w.Pay(factura("ORDER-2", "reference", "1500.00"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
			t.Errorf("another app: %d %s", a.StatusCode, a.Body)
		}
		time.Sleep(3 * time.Second)
		if a := w.Pay(factura("ORDER-2", "reference", "1500.00")); a.StatusCode != 202 {
			t.Errorf("three seconds later: %d %s", a.StatusCode, a.Body)
		}
	})
}

// Our account being refused is a failure of the provider for every payer; two
// apps that meet it close the circuit for all.
func TestARefusedAccountOpensTheCircuit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.Error403Before}); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			key := []string{testbed.ShopKey, testbed.OtherKey}[i%2]
			if a := w.Pay(testbed.Order(fmt.Sprint("BAD-", i), fmt.Sprint("2687612345", i)), "x-proxy-api-key", key); a.Text("code") != "provider_account" {
				t.Fatalf("answered %d %s", a.StatusCode, a.Body)
			}
		}
		for _, key := range []string{testbed.ShopKey, testbed.OtherKey} {
			if a := w.Pay(testbed.Order("ORDER-1", "26876123456"), "x-proxy-api-key", key); a.Text("code") != "provider_unavailable" {
				t.Errorf("answered %d %s", a.StatusCode, a.Body)
			}
		}
		w.Sandbox.ClearRules()
		time.Sleep(30 * time.Second)
		accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		if a := w.Pay(testbed.Order("ORDER-1", "26876123456"), "x-proxy-api-key", testbed.OtherKey); a.StatusCode != 202 {
			t.Errorf("the other app: %d %s", a.StatusCode, a.Body)
		}
	})
}

// A healthy provider's health is never written, for any payer and however often;
// what is written of failures names no payer.
func TestAHealthyProviderCostsNoWrite(t *testing.T) {
	var writes atomic.Int64
	counting := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if op == "write" && keys[0].Partition == "health" {
				writes.Add(1)
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: counting}, func(t *testing.T, w *testbed.World) {
		for i := range 50 {
			accepted(t, w, fmt.Sprint("ORDER-", i), mtnstand.ScriptSuccess)
			w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), "26876123456"), "x-proxy-api-key", testbed.OtherKey)
		}
		if n := writes.Load(); n != 0 {
			t.Errorf("%d writes while all is well", n)
		}
		for i := range 60 { // a flood of one app, beside which another is answered
			w.Pay(testbed.Order(fmt.Sprint("BAD-", i), mtnstand.Payer("error503")))
		}
		if n := writes.Load(); n < 5 || n > 20 {
			t.Errorf("60 failures of one app cost %d writes", n)
		}
		stored, err := w.Memory.Get(t.Context(), table.Key{Space: table.Main, Partition: "health", Sort: "mtn"})
		if err != nil || strings.Contains(fmt.Sprint(stored.Attributes), mtnstand.Payer("error503")) {
			t.Errorf("stored: %v, %v", stored.Attributes, err)
		}
	})
}

// An app is not kept out, and no outage is reported, when another one was
// answered a while ago: that the provider answers is remembered.
func TestAnAnswerIsRemembered(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.Pay(testbed.Order("ORDER-1", "26876123456"), "x-proxy-api-key", testbed.OtherKey)
		time.Sleep(5 * time.Minute)
		for i := range 12 {
			w.Pay(testbed.Order(fmt.Sprint("BAD-", i), mtnstand.Payer([]string{"error503", "reset_before", "timeout_before"}[i%3])))
		}
		accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		if opened := lines(w, "breaker.opened"); len(opened) > 0 {
			t.Errorf("told as %q", opened)
		}
	})
}

// An answer to anybody ends the row of failures.
func TestAnAnswerEndsTheRow(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		other := func(order, payer string) { w.Pay(testbed.Order(order, payer), "x-proxy-api-key", testbed.OtherKey) }
		for i := range 4 {
			w.Pay(testbed.Order(fmt.Sprint("BAD-", i), mtnstand.Payer("error503")))
		}
		other("GOOD", "26876123456")
		for i := range 3 {
			other(fmt.Sprint("BAD-", i), mtnstand.Payer("reset_before"))
		}
		accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		if opened := lines(w, "breaker.opened"); len(opened) > 0 {
			t.Errorf("told as %q", opened)
		}
	})
}

// While an app's probe waits for its answer, its other requests are refused.
func TestOneProbeOfAnApp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, Fault: core.TimeoutBefore}); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			w.Pay(testbed.Order(fmt.Sprint("BAD-", i), fmt.Sprint("2687612345", i)))
		}
		time.Sleep(30 * time.Second)
		var probe sync.WaitGroup
		probe.Go(func() { w.Pay(testbed.Order("PROBE", "26876123456")) })
		time.Sleep(time.Second)
		if a := w.Pay(testbed.Order("ORDER-1", "26876123456")); a.Text("code") != "provider_unavailable" {
			t.Errorf("answered %d %s", a.StatusCode, a.Body)
		}
		probe.Wait()
	})
}

// moving has another function change a provider's health just before a write
// of it, so that the write meets another version.
type moving struct {
	table.Table
	once *atomic.Bool
}

func (m moving) Write(ctx context.Context, ops ...table.Op) error {
	if key := ops[0].Record.Key; key.Partition == "health" && m.once.CompareAndSwap(true, false) {
		if rec, err := m.Get(ctx, key); err == nil {
			_ = m.Table.Write(ctx, table.Put(rec))
		}
	}
	return m.Table.Write(ctx, ops...)
}

// An answer ends a row of failures though others write at the same time.
func TestAnAnswerIsCountedThoughTheStateMoves(t *testing.T) {
	var once atomic.Bool
	o := testbed.Options{Table: func(inner table.Table) table.Table { return moving{inner, &once} }}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		w.Pay(testbed.Order("BAD", mtnstand.Payer("error503")))
		once.Store(true)
		accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		if h, err := w.Ledger.FreshHealth(t.Context(), "mtn"); err != nil || h.Failures() != 0 || once.Load() {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

// A probe that another function has let through counts for this one at once,
// whatever it has cached.
func TestAProbeOfAnotherFunction(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		now := time.Now()
		open := ledger.Health{Provider: "mtn", OpenedAt: now, Apps: []ledger.AppHealth{{ClientID: w.Shop.ID, AskedAt: now, Failures: 5}}}
		if err := w.Ledger.SaveHealth(t.Context(), open); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Ledger.Health(t.Context(), "mtn", now); err != nil {
			t.Fatal(err)
		}
		other := ledger.New(w.Memory, nil, ledger.Options{})
		h, err := other.FreshHealth(t.Context(), "mtn")
		if err != nil {
			t.Fatal(err)
		}
		h.Apps[0].ProbeAt = now.Add(30 * time.Second)
		if err := other.SaveHealth(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if a := w.Pay(testbed.Order("ORDER-1", "26876123456")); a.Text("code") != "provider_unavailable" {
			t.Errorf("answered %d %s", a.StatusCode, a.Body)
		}
	})
}

// What MTN asks for in Retry-After is the length of the pause.
func TestRetryAfterOfMTN(t *testing.T) {
	limit := func(http.RoundTripper) http.RoundTripper { return tooMany{} }
	bubble(t, testbed.Options{MTN: limit}, func(t *testing.T, w *testbed.World) {
		w.Pay(testbed.Order("ORDER-1", "26876123456"))
		a := w.Pay(testbed.Order("ORDER-2", "26876123456"))
		if a.Text("code") != "provider_busy" || a.Headers["retry-after"] != "40" {
			t.Errorf("%d %s %v", a.StatusCode, a.Body, a.Headers)
		}
	})
}

// tooMany hands out tokens and answers everything else with 429.
type tooMany struct{}

func (tooMany) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/token/") {
		_, _ = w.WriteString(`{"access_token":"t","token_type":"access_token","expires_in":3600}`)
		return w.Result(), nil
	}
	w.Header().Set("Retry-After", "40")
	w.WriteHeader(http.StatusTooManyRequests)
	return w.Result(), nil
}
