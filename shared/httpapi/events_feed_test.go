package httpapi_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// feed is GET /events under an API key, with names and values in turn.
func feed(t *testing.T, w *testbed.World, key string, query ...string) testbed.Answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Add(query[i], query[i+1])
	}
	r := cloud.Request("GET /events")
	r.RawQueryString = values.Encode()
	r.Headers["x-proxy-api-key"] = key
	return w.Call(t.Context(), r)
}

// eventBodies are the signed bytes of a page's events.
func eventBodies(a testbed.Answer) (all []string) {
	for _, e := range a.Fields["events"].([]any) {
		all = append(all, e.(map[string]any)["body"].(string))
	}
	return all
}

// A reader that goes on from nextAfter gets each event once, in order and with
// the bytes that its server was sent, whatever became of their delivery.
func TestEventsInOrder(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(n int, _ testbed.Received) webhook.Result {
			if n == 2 {
				return webhook.Result{Code: 500}
			}
			return webhook.Result{Code: 200}
		})
		if a := is(t, feed(t, w, testbed.ShopKey), 200, ""); a.Body != `{"events":[],"nextAfter":null,"more":false}` {
			t.Errorf("no events yet: %s", a.Body)
		}
		start := time.Now()
		for i := range 5 {
			is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "")
			w.Pass(time.Minute)
		}
		w.Pass(time.Hour)
		var sent []string
		for _, r := range w.App.Got() {
			if !slices.Contains(sent, r.Body) {
				sent = append(sent, r.Body)
			}
		}
		var got []string
		after := []string{"limit", "2"}
		for more := true; more; {
			a := is(t, feed(t, w, testbed.ShopKey, after...), 200, "")
			got = append(got, eventBodies(a)...)
			after = []string{"limit", "2", "after", a.Fields["nextAfter"].(string)}
			more = a.Fields["more"].(bool)
		}
		if len(sent) != 5 || !slices.Equal(got, sent) {
			t.Errorf("listed:\n%q\nsent:\n%q", got, sent)
		}
		if a := is(t, feed(t, w, testbed.ShopKey, after...), 200, ""); len(eventBodies(a)) != 0 || a.Fields["nextAfter"] != after[3] {
			t.Errorf("behind the last event: %s", a.Body)
		}
		if a := is(t, feed(t, w, testbed.ShopKey, "after", start.Add(150*time.Second).UTC().Format(time.RFC3339)), 200, ""); !slices.Equal(eventBodies(a), sent[3:]) {
			t.Errorf("from a time on: %s", a.Body)
		}
		if a := is(t, feed(t, w, testbed.OtherKey), 200, ""); len(eventBodies(a)) != 0 {
			t.Errorf("another app's: %s", a.Body)
		}
	})
}

// An event is listed when it is over ten seconds old, not before.
func TestEventsSettle(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		var made time.Time
		for made.IsZero() {
			w.Pass(time.Second)
			if all := w.Story(reference).Deliveries; len(all) > 0 {
				made = all[0].CreatedAt
			}
		}
		time.Sleep(time.Until(made.Add(10 * time.Second)))
		if a := is(t, feed(t, w, testbed.ShopKey), 200, ""); len(eventBodies(a)) != 0 {
			t.Errorf("ten seconds old: %s", a.Body)
		}
		time.Sleep(time.Millisecond)
		if a := is(t, feed(t, w, testbed.ShopKey), 200, ""); len(eventBodies(a)) != 1 {
			t.Errorf("older: %s", a.Body)
		}
	})
}

func TestEventsRefuses(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		is(t, feed(t, w, "nobody"), 401, "unauthorized")
		for _, query := range [][]string{
			{"after", ""}, {"after", "x"}, {"after", "2026-13-01"}, {"after", "!!"}, {"after", "MjAyNi0xMS0zMFQwMDowMDowMC4wMDBaIA"},
			{"limit", "0"}, {"limit", "101"}, {"before", "x"}, {"after", "x", "after", "y"}, {"after", "\xff"},
		} {
			is(t, feed(t, w, testbed.ShopKey, query...), 422, "validation_failed")
		}
		r := cloud.Request("GET /events")
		r.RawQueryString = "after=%zz"
		r.Headers["x-proxy-api-key"] = testbed.ShopKey
		is(t, w.Call(t.Context(), r), 422, "validation_failed")
	})
}
