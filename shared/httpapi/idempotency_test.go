package httpapi_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

func TestIdempotencyKeySameBody(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		if first.Headers["idempotent-replayed"] != "" {
			t.Error("the first answer says it is a replay")
		}
		same := []string{
			testbed.Order("ORDER-1", good),
			// Another spelling of the same request.
			`{"payer":{"partyId":"+268 7612 3456","partyIdType":"MSISDN"}, "externalId":"ORDER-1","amount":150,"currency":"SZL"}`,
		}
		for range 3 {
			for _, body := range same {
				again := is(t, w.Pay(body, "Idempotency-Key", "k"), 202, "")
				if again.Body != first.Body || again.Headers["idempotent-replayed"] != "true" {
					t.Errorf("replayed %v %s; want %s", again.Headers, again.Body, first.Body)
				}
			}
			w.Pass(20 * time.Hour) // whatever becomes of the payment
		}
		if e, _ := w.Sandbox.Payment(first.Reference()); e.Asks != 1 {
			t.Errorf("MTN was asked %d times", e.Asks)
		}
		// Another app's key of the same text is another key.
		other := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k", "x-proxy-api-key", testbed.OtherKey), 202, "")
		if other.Reference() == first.Reference() || other.Headers["idempotent-replayed"] != "" {
			t.Errorf("the other app got %s", other.Body)
		}
	})
}

func TestIdempotencyKeyOtherBody(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		for _, body := range []string{
			testbed.Order("ORDER-2", good), testbed.Order("ORDER-1", "26876123457"),
			strings.Replace(testbed.Order("ORDER-1", good), "150.00", "150.01", 1),
			strings.Replace(testbed.Order("ORDER-1", good), `{"amount"`, `{"metadata":{"a":"b"},"amount"`, 1),
		} {
			a := is(t, w.Pay(body, "idempotency-key", "k"), 422, "idempotency_key_reused")
			golden(t, "error/422-idempotency-key-reused", a.Body)
		}
	})
}

// MTN knows a reference for longer than we keep its payment: what it says of it
// must not end another order, which nobody has paid.
func TestIdempotencyKeyOfAnExpiredPayment(t *testing.T) {
	const retention = 90 * 24 * time.Hour
	bubble(t, testbed.Options{Retention: retention}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "").Reference()
		w.Pass(time.Minute)
		is(t, w.Ask(first, testbed.ShopKey), 200, "")
		time.Sleep(retention) // without a run each minute
		w.Memory.Purge(time.Now())
		is(t, w.Ask(first, testbed.ShopKey), 404, "not_found")
		is(t, w.Pay(testbed.Order("ORDER-2", good), "idempotency-key", "k"), 422, "idempotency_key_reused")
		is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 409, "duplicate_external_id")
		is(t, w.Pay(testbed.Order("ORDER-2", good), "idempotency-key", "k2"), 202, "")
	})
}

func TestIdempotencyKeyStillRunning(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, DelayMs: 5000, Times: 1}); err != nil {
			t.Fatal(err)
		}
		var first testbed.Answer
		go func() { first = w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k") }()
		time.Sleep(500 * time.Millisecond)
		a := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 409, "request_in_progress")
		golden(t, "error/409-request-in-progress", a.Body)
		if d := wait(t, a); d > 30*time.Second {
			t.Errorf("told to wait %s", d)
		}
		golden(t, "status/submitting", is(t, w.Ask(a.Reference(), testbed.ShopKey), 200, "").Body)
		is(t, w.Pay(testbed.Order("ORDER-2", good), "idempotency-key", "k"), 422, "idempotency_key_reused")
		// MTN's callback is faster than its answer; the request still runs.
		time.Sleep(time.Second)
		if a = is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 409, "request_in_progress"); a.Text("status") != "SUCCESSFUL" {
			t.Errorf("%s", a.Body)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		is(t, first, 202, "")
		again := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		if again.Body != first.Body || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("replayed %s; want %s", again.Body, first.Body)
		}
	})
}

// The first request stored its payment, asked MTN and died before it could
// write or answer. A repeat never charges again.
func TestIdempotencyKeyFirstRequestDied(t *testing.T) {
	var down atomic.Bool
	o := testbed.Options{Table: func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if down.Load() && op == tabletest.OpWrite {
				return tabletest.Fault{When: tabletest.Before}
			}
			return tabletest.Fault{}
		})
	}}
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		// MTN's answer takes a second; meanwhile the table goes.
		if err := w.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRequestToPay, DelayMs: 1000, Times: 1}); err != nil {
			t.Fatal(err)
		}
		var first testbed.Answer
		go func() { first = w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k") }()
		time.Sleep(500 * time.Millisecond)
		down.Store(true)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		down.Store(false)
		is(t, first, 202, "")
		if first.Text("phase") != "in_reconciliation" {
			t.Errorf("%s", first.Body)
		}
		is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 409, "request_in_progress")
		time.Sleep(30 * time.Second)
		again := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		if again.Reference() != first.Reference() || again.Headers["idempotent-replayed"] != "true" {
			t.Errorf("%v %s", again.Headers, again.Body)
		}
		endsOnce(t, w, first.Reference(), payment.Successful, time.Hour)
		again = is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		if again.Text("status") != "SUCCESSFUL" {
			t.Errorf("%s", again.Body)
		}
	})
}

// A repeat under a known key gets its stored answer when MTN is down.
func TestIdempotencyKeyWhenProviderIsDown(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		first := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		w.Pass(10 * time.Second) // its callback is an answer, too
		outage(t, w)
		is(t, w.Pay(testbed.Order("ORDER-2", good)), 503, "provider_unavailable")
		again := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", "k"), 202, "")
		if again.Body != first.Body {
			t.Errorf("replayed %s; want %s", again.Body, first.Body)
		}
	})
}

func TestIdempotencyKeyMalformed(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, key := range []string{strings.Repeat("k", 256), "a\x00b", "a\nb", "\xff"} {
			a := is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", key), 422, "validation_failed")
			if !strings.Contains(a.Body, "Idempotency-Key") {
				t.Errorf("%q: %s", key, a.Body)
			}
		}
		nothingCreated(t, w)
		is(t, w.Pay(testbed.Order("ORDER-1", good), "idempotency-key", strings.Repeat("k", 255)), 202, "")
	})
}
