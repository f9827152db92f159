package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

func tested(t *testing.T, w *testbed.World, key string) testbed.Answer {
	t.Helper()
	r := cloud.Request("POST /events/test")
	r.Headers["x-proxy-api-key"] = key
	return w.Call(t.Context(), r)
}

// testedBeside asks for a test event while the forwarder is at work.
func testedBeside(t *testing.T, w *testbed.World) (a testbed.Answer) {
	t.Helper()
	done := make(chan testbed.Answer)
	go func() { done <- tested(t, w, testbed.ShopKey) }()
	w.Pass(15 * time.Second)
	return <-done
}

// The answer shows what the app's server answered. It is sent once, signed, and
// is no event of a payment.
func TestTestEvent(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		began := time.Now()
		a := is(t, testedBeside(t, w), 200, "")
		got := w.App.Got() // it has verified both signatures
		if len(got) != 1 || got[0].URL != testbed.ShopURL || got[0].EventID != a.Text("eventId") || got[0].Content.Event != "event.test" || got[0].Content.Status != "" {
			t.Fatalf("the app got %+v, told %s", got, a.Body)
		}
		if attempt, _ := a.Fields["attempt"].(map[string]any); a.Fields["delivered"] != true || attempt["code"] != 200.0 || attempt["cause"] != "manual" {
			t.Error(a.Body)
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			return webhook.Result{Code: 403, Excerpt: "Invalid signature"}
		})
		if a = is(t, testedBeside(t, w), 200, ""); a.Fields["delivered"] != false || !strings.Contains(a.Body, "Invalid signature") {
			t.Error(a.Body)
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Class: webhook.ClassTimeout} })
		if a = is(t, testedBeside(t, w), 200, ""); a.Fields["delivered"] != false || !strings.Contains(a.Body, `"error":"timeout"`) {
			t.Error(a.Body)
		}
		w.App.Answer(nil)
		w.Pass(4 * 24 * time.Hour)
		if got := w.App.Got(); len(got) != 3 || got[1].EventID == got[0].EventID {
			t.Errorf("the app got %d", len(got))
		}
		if a := is(t, feed(t, w, testbed.ShopKey), 200, ""); len(eventBodies(a)) != 0 {
			t.Errorf("GET /events has it: %s", a.Body)
		}
		for _, r := range w.Records() {
			if strings.HasPrefix(r.Sort, "delivery#") && (r.ExpiresAt.IsZero() || r.ExpiresAt.After(began.Add(25*time.Hour))) {
				t.Errorf("it is kept until %s", r.ExpiresAt)
			}
		}
	})
}

func TestTestEventRefuses(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		is(t, tested(t, w, "nobody"), 401, "unauthorized")
		began := time.Now()
		if a := is(t, tested(t, w, testbed.ShopKey), 202, ""); a.Fields["attempt"] != nil || time.Since(began) < 12*time.Second || time.Since(began) > 13*time.Second {
			t.Errorf("after %s: %s", time.Since(began), a.Body)
		}
		time.Sleep(time.Until(time.Now().Truncate(ledger.TestEvery).Add(ledger.TestEvery)))
		is(t, tested(t, w, testbed.OtherKey), 202, "")
		time.Sleep(time.Until(time.Now().Truncate(ledger.TestEvery).Add(ledger.TestEvery)))
		go tested(t, w, testbed.ShopKey)
		time.Sleep(2 * time.Second)
		if a := is(t, tested(t, w, testbed.ShopKey), 429, "tested_too_soon"); a.Headers["retry-after"] != "8" {
			t.Errorf("%v", a.Headers)
		}
		time.Sleep(20 * time.Second)

		w.Pass(time.Minute) // those are sent now, late
		if got := w.App.Got(); len(got) != 3 {
			t.Errorf("the apps got %d", len(got))
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 410} })
		is(t, testedBeside(t, w), 200, "")
		w.App.Answer(nil)
		time.Sleep(20 * time.Second)
		is(t, tested(t, w, testbed.ShopKey), 409, "endpoint_disabled")
		if err := w.Ledger.ChangeClient(t.Context(), w.Shop, ledger.ClientChange{CallbackURL: new("")}); err != nil {
			t.Fatal(err)
		}
		w.Restart(testbed.Options{Seed: 2})
		is(t, tested(t, w, testbed.ShopKey), 409, "no_callback_url")
	})
}
