package httpapi_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/cloud"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
	"momoproxy/shared/webhook"
)

const (
	listRoute     = "GET /payments"
	timelineRoute = "GET /payments/{referenceId}"
	resendRoute   = "POST /payments/{referenceId}/resend-callback"
)

// list is GET /payments under an API key, with names and values in turn.
func list(t *testing.T, w *testbed.World, key string, query ...string) testbed.Answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		values.Add(query[i], query[i+1])
	}
	return listRaw(t, w, key, values.Encode())
}

func listRaw(t *testing.T, w *testbed.World, key, query string) testbed.Answer {
	t.Helper()
	r := cloud.Request(listRoute)
	r.RawQueryString = query
	r.Headers["x-proxy-api-key"] = key
	return w.Call(t.Context(), r)
}

// orders are the external ids of a page.
func orders(a testbed.Answer) []string {
	var all []string
	page, _ := a.Fields["payments"].([]any)
	for _, p := range page {
		all = append(all, p.(map[string]any)["externalId"].(string))
	}
	return all
}

// own calls one of the routes of one payment.
func own(t *testing.T, w *testbed.World, route, reference, key string) testbed.Answer {
	t.Helper()
	r := cloud.Request(route, reference)
	r.PathParameters["referenceId"] = reference
	r.Headers["x-proxy-api-key"] = key
	return w.Call(t.Context(), r)
}

func TestListPayments(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		if a := is(t, list(t, w, testbed.ShopKey), 200, ""); a.Body != `{"payments":[],"nextCursor":null}` {
			t.Errorf("an empty list: %s", a.Body)
		}
		var want []string
		for i := range 5 {
			plan := mtnstand.ScriptSuccess
			if i%2 == 1 {
				plan = "failed_not_enough_funds"
			}
			is(t, w.Pay(testbed.Order(fmt.Sprint("ORDER-", i), mtnstand.Payer(plan))), 202, "")
			want = append([]string{fmt.Sprint("ORDER-", i)}, want...)
			w.Pass(time.Minute)
		}
		is(t, w.Pay(testbed.Order("THEIRS", good), "x-proxy-api-key", testbed.OtherKey), 202, "")
		asked := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]

		a := is(t, list(t, w, testbed.ShopKey), 200, "")
		if diff := cmp.Diff(want, orders(a)); diff != "" {
			t.Error(diff)
		}
		golden(t, "payments/list", noReferences(a.Body))
		var walked []string
		cursor := []string{}
		for range 5 {
			a := is(t, list(t, w, testbed.ShopKey, append(cursor, "limit", "2")...), 200, "")
			walked = append(walked, orders(a)...)
			next, ok := a.Fields["nextCursor"].(string)
			if !ok {
				break
			}
			cursor = []string{"cursor", next}
		}
		if diff := cmp.Diff(want, walked); diff != "" {
			t.Errorf("in pages: %s", diff)
		}
		begin := "2000-01-01T00:0" // the clock of a bubble begins there
		for name, c := range map[string]struct {
			query []string
			want  []string
		}{
			"status":         {[]string{"status", "FAILED"}, []string{"ORDER-3", "ORDER-1"}},
			"statuses":       {[]string{"status", "FAILED,SUCCESSFUL"}, want},
			"statuses twice": {[]string{"status", "FAILED", "status", "TIMEOUT"}, []string{"ORDER-3", "ORDER-1"}},
			"order":          {[]string{"externalId", "ORDER-2"}, []string{"ORDER-2"}},
			"ended order":    {[]string{"externalId", "ORDER-3"}, []string{"ORDER-3"}},
			"of another app": {[]string{"externalId", "THEIRS"}, nil},
			"time":           {[]string{"from", begin + "1:00Z", "to", begin + "3:00+00:00"}, []string{"ORDER-2", "ORDER-1"}},
			"day":            {[]string{"from", "2000-01-01", "to", "2000-01-02", "limit", "100"}, want},
			"later":          {[]string{"from", "2000-01-02"}, nil},
		} {
			if diff := cmp.Diff(c.want, orders(is(t, list(t, w, testbed.ShopKey, c.query...), 200, ""))); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != asked {
			t.Error("MTN was asked for a list")
		}
		theirs := is(t, list(t, w, testbed.OtherKey), 200, "")
		if diff := cmp.Diff([]string{"THEIRS"}, orders(theirs)); diff != "" {
			t.Error(diff)
		}
		// A cursor of one app opens nothing of it to another.
		first := is(t, list(t, w, testbed.ShopKey, "limit", "1"), 200, "").Text("nextCursor")
		is(t, list(t, w, testbed.OtherKey, "limit", "1", "cursor", first), 422, "validation_failed")
		is(t, list(t, w, ""), 401, "unauthorized")
	})
}

// noReferences makes the random parts of a text the same for every run.
func noReferences(text string) string {
	for i := 0; i+36 <= len(text); i++ {
		if payment.IsReference(text[i:i+36]) && text[i:i+36] != strings.Repeat("0", 8)+text[i+8:i+36] {
			text = text[:i] + "00000000-0000-4000-8000-000000000000" + text[i+36:]
		}
	}
	return text
}

func TestListPaymentsBadQuery(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, list(t, w, testbed.ShopKey, "limit", "0", "status", "failed", "externalID", "X", "from", "yesterday", "to", "x", "cursor", "", "limit2", "1"), 422, "validation_failed")
		golden(t, "error/422-bad-query", a.Body)
		for query, field := range map[string]string{
			"limit=101": "limit", "limit=-1": "limit", "limit=1e1": "limit", "limit=": "limit", "limit=1&limit=2": "limit",
			"status=": "status", "status=FAILED,": "status", "status=PAID": "status",
			"externalId=": "externalId", "externalId=" + strings.Repeat("a", 101): "externalId", "externalId=%00": "externalId", "externalId=%ff": "externalId",
			"from=2026-11-21T09:30:00+02:00": "from", "from=0001-01-01": "from", "from=2026-13-01": "from",
			"from=2026-11-22&to=2026-11-21": "to", "from=2026-11-22&to=2026-11-22": "to",
			"cursor=abc": "cursor", "cursor=" + strings.Repeat("a", 100_000): "cursor",
			"a=%zz": "query", "a;b=1": "query", "Status=FAILED": "Status", "%ff=1": "?",
		} {
			a := is(t, listRaw(t, w, testbed.ShopKey, query), 422, "validation_failed")
			if f := faults(t, a); f[field] == "" {
				t.Errorf("%.60s: %v", query, f)
			}
			if len(a.Body) > 2000 {
				t.Errorf("%.60s: an answer of %d bytes", query, len(a.Body))
			}
		}
	})
}

// A payment's timeline tells each attempt with the app's own answer.
func TestPaymentTimeline(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.App.Answer(func(n int, _ testbed.Received) webhook.Result {
			switch n {
			case 1:
				return webhook.Result{Code: 500, Excerpt: "database is locked"}
			case 2:
				return webhook.Result{Class: "timeout"}
			}
			return webhook.Result{Code: 200, Excerpt: "ok"}
		})
		a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "")
		open := is(t, own(t, w, timelineRoute, a.Reference(), testbed.ShopKey), 200, "")
		golden(t, "payments/timeline-open", noReferences(open.Body))
		w.Pass(10 * time.Minute)
		asked := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]
		s := is(t, own(t, w, timelineRoute, a.Reference(), testbed.ShopKey), 200, "")
		golden(t, "payments/timeline", noReferences(s.Body))
		if n := w.Sandbox.Counters().Requests[mtnstand.RouteStatus]; n != asked {
			t.Error("MTN was asked for a timeline")
		}
		if strings.Contains(s.Body, testbed.ShopKey) || strings.Contains(s.Body, "sealed") {
			t.Error("a secret is shown")
		}
		is(t, own(t, w, timelineRoute, strings.ToUpper(a.Reference()), testbed.ShopKey), 200, "")
		is(t, own(t, w, timelineRoute, a.Reference(), testbed.OtherKey), 403, "forbidden")
		is(t, own(t, w, timelineRoute, a.Reference(), ""), 401, "unauthorized")
		for _, reference := range []string{"00000000-0000-4000-8000-000000000000", "ORDER-1", "", "\x00", "\xff", strings.Repeat("a", 10_000)} {
			is(t, own(t, w, timelineRoute, reference, testbed.ShopKey), 404, "not_found")
			is(t, own(t, w, resendRoute, reference, testbed.ShopKey), 404, "not_found")
		}
	})
}

// What a provider tells the payer to do, and where its invoice is, is in the
// timeline.
func TestTimelineParticulars(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		now := ledger.Clock(time.Now())
		p := ledger.Payment{Payment: payment.Payment{
			Reference: eventReference, ClientID: w.Shop.ID, ExternalID: "ORDER-1", Provider: "mom-factura", Method: "reference",
			Amount: payment.Money{Minor: 15000, Currency: "AOA"}, Payer: "244923456789", Status: payment.Pending, Phase: payment.PhaseAwaitingPayer,
			CreatedAt: now, UpdatedAt: now, NextCheckAt: now.Add(30 * time.Second), Metadata: map[string]string{"cart": "4711"},
			Particulars: payment.Particulars{
				Instructions: map[string]string{"entity": "10116", "referenceNumber": "123456789"}, ExpiresAt: now.Add(24 * time.Hour),
				InvoiceURL: "https://invoices.example.com/1",
			},
		}}
		if _, err := w.Ledger.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		golden(t, "payments/timeline-instructions", is(t, own(t, w, timelineRoute, p.Reference, testbed.ShopKey), 200, "").Body)
	})
}

func TestResendCallback(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		a := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "")
		ref := a.Reference()
		golden(t, "error/409-no-event-yet", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 409, "no_event_yet").Body))
		w.Pass(time.Minute)
		first := w.App.About(ref)
		if len(first) != 1 {
			t.Fatalf("%d callbacks", len(first))
		}
		is(t, own(t, w, resendRoute, ref, testbed.OtherKey), 403, "forbidden")
		is(t, own(t, w, resendRoute, ref, ""), 401, "unauthorized")
		resent := is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		golden(t, "payments/resend-202", noReferences(resent.Body))
		if resent.Text("eventId") != first[0].EventID || resent.Text("callbackUrl") != testbed.ShopURL {
			t.Errorf("%s", resent.Body)
		}
		golden(t, "error/409-callback-underway", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 409, "callback_underway").Body))
		w.Pass(5 * time.Second)
		got := w.App.About(ref)
		if len(got) != 2 || got[1].EventID != first[0].EventID || got[1].Body != first[0].Body {
			t.Fatalf("the app got %d callbacks", len(got))
		}
		early := is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 429, "resent_too_soon")
		golden(t, "error/429-resent-too-soon", early.Body)
		time.Sleep(wait(t, early))
		is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		w.Pass(time.Minute)
		if n := len(w.App.About(ref)); n != 3 {
			t.Errorf("the app got %d callbacks", n)
		}
		resends := 0
		for _, r := range w.Trail(ref) {
			if strings.HasSuffix(r.URL, "/resend-callback") {
				resends++
			}
		}
		if resends != 2 {
			t.Errorf("%d resends in the audit log", resends)
		}
	})
}

// An app finds its event exhausted and has it again.
func TestResendOfAnExhaustedEvent(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		var up atomic.Bool
		w.App.Answer(func(int, testbed.Received) webhook.Result {
			if up.Load() {
				return webhook.Result{Code: 204}
			}
			return webhook.Result{Code: 404, Control: "abort-message"}
		})
		ref := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		w.Pass(2 * time.Hour)
		if s := w.Story(ref).Deliveries[0].State; s != delivery.Exhausted {
			t.Fatalf("it is %s", s)
		}
		up.Store(true)
		is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		w.Pass(time.Minute)
		if s := is(t, w.Ask(ref, testbed.ShopKey), 200, ""); s.Fields["callbackForwarded"] != true {
			t.Errorf("%s", s.Body)
		}
	})
}

// The bell is a hint: without it the sweeper finds the resent event.
func TestResendWithoutABell(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		w.Pass(time.Minute)
		w.API.SelfService.Doorbell = mute{}
		is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		w.Pass(15 * time.Minute)
		if n := len(w.App.About(ref)); n != 2 {
			t.Errorf("the app got %d callbacks", n)
		}
	})
}

func TestResendRefused(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		w.Pass(time.Minute)
		if err := w.Ledger.ChangeClient(t.Context(), w.Shop, ledger.ClientChange{CallbackURL: new("")}); err != nil {
			t.Fatal(err)
		}
		golden(t, "error/409-no-callback-url", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 409, "no_callback_url").Body))
		shop, err := w.Ledger.Client(t.Context(), w.Shop.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Ledger.ChangeClient(t.Context(), shop, ledger.ClientChange{CallbackURL: new(testbed.ShopURL)}); err != nil {
			t.Fatal(err)
		}
		w.App.Answer(func(int, testbed.Received) webhook.Result { return webhook.Result{Code: 410} })
		is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 202, "")
		w.Pass(time.Minute)
		golden(t, "error/409-endpoint-disabled", noReferences(is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 409, "endpoint_disabled").Body))
	})
}

// The table failing, a record that cannot be read, and haste.
func TestPaymentsFaults(t *testing.T) {
	var down atomic.Bool
	o := tableDown(&down, table.ErrUnavailable)
	bubble(t, o, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		w.Pass(time.Minute)
		is(t, w.Ask(ref, testbed.ShopKey), 200, "") // the client is in the cache
		down.Store(true)
		wait(t, is(t, list(t, w, testbed.ShopKey), 503, "unavailable"))
		wait(t, is(t, feed(t, w, testbed.ShopKey), 503, "unavailable"))
		wait(t, is(t, tested(t, w, testbed.ShopKey), 503, "unavailable"))
		wait(t, is(t, own(t, w, timelineRoute, ref, testbed.ShopKey), 503, "unavailable"))
		wait(t, is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 503, "unavailable"))
		wait(t, is(t, w.Ask(ref, testbed.ShopKey), 503, "unavailable"))
		down.Store(false)
		test := make(chan testbed.Answer)
		go func() { test <- tested(t, w, testbed.ShopKey) }()
		time.Sleep(time.Second) // its record is broken while it waits
		for _, r := range w.Records() {
			broken := map[string]string{"payment": "amount_minor", "delivery#000001": "created_at"}[r.Sort]
			if r.Space == table.Main && broken != "" {
				r.Attributes[broken] = "a lot"
				if err := w.Memory.Write(t.Context(), table.Put(r)); err != nil {
					t.Fatal(err)
				}
			}
		}
		is(t, list(t, w, testbed.ShopKey), 500, "internal")
		is(t, feed(t, w, testbed.ShopKey), 500, "internal")
		is(t, <-test, 500, "internal")
		is(t, own(t, w, timelineRoute, ref, testbed.ShopKey), 500, "internal")
		is(t, own(t, w, resendRoute, ref, testbed.ShopKey), 500, "internal")
	})
}

func TestPaymentsRateLimited(t *testing.T) {
	bubble(t, testbed.Options{Limits: httpapi.NewRateLimit(1, 2)}, func(t *testing.T, w *testbed.World) {
		ref := is(t, w.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess))), 202, "").Reference()
		a := is(t, list(t, w, testbed.ShopKey), 200, "")
		if a.Headers["ratelimit"] != `"app";r=0;t=1` || a.Headers["ratelimit-policy"] != `"app";q=2;w=2` {
			t.Errorf("%v", a.Headers)
		}
		for _, refused := range []testbed.Answer{
			list(t, w, testbed.ShopKey), feed(t, w, testbed.ShopKey), tested(t, w, testbed.ShopKey), own(t, w, timelineRoute, ref, testbed.ShopKey), own(t, w, resendRoute, ref, testbed.ShopKey),
		} {
			is(t, refused, 429, "rate_limited")
			if refused.Headers["ratelimit"] != `"app";r=0;t=1` || refused.Headers["retry-after"] != "1" {
				t.Errorf("%v", refused.Headers)
			}
		}
		time.Sleep(10 * time.Second)
		if a := is(t, list(t, w, testbed.ShopKey), 200, ""); a.Headers["ratelimit"] != `"app";r=1;t=1` {
			t.Errorf("%v", a.Headers)
		}
		for _, a := range []testbed.Answer{list(t, w, "nobody"), w.CallBack("POST", "", "{}")} {
			if names := slices.Collect(maps.Keys(a.Headers)); slices.Contains(names, "ratelimit") {
				t.Errorf("not an app's answer: %v", names)
			}
		}
	})
}

// The use of a key is known to operators, and a table that does not take it
// down fails no request.
func TestKeyUseIsNoted(t *testing.T) {
	var down atomic.Bool
	bubble(t, tableDown(&down, nil), func(t *testing.T, w *testbed.World) {
		is(t, list(t, w, testbed.ShopKey), 200, "")
		used := time.Now()
		keys, err := w.Ledger.Keys(t.Context(), w.Shop)
		if err != nil || len(keys) != 1 || !keys[0].LastUsedAt.Equal(ledger.Clock(used)) {
			t.Fatalf("%+v, %v", keys, err)
		}
	})
}

// A key that has ended is answered as an unknown one, from its moment on.
func TestEndedKey(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		shop, err := w.Ledger.Rotate(t.Context(), w.Shop, ledger.Rotation{Of: ledger.APIKey, Fresh: "fresh-key", Now: time.Now(), Until: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{testbed.ShopKey, "fresh-key"} {
			is(t, list(t, w, key), 200, "")
		}
		time.Sleep(time.Hour - time.Second)
		is(t, list(t, w, testbed.ShopKey), 200, "") // now in the cache
		time.Sleep(time.Second)
		golden(t, "error/401-unauthorized", is(t, list(t, w, testbed.ShopKey), 401, "unauthorized").Body)
		is(t, list(t, w, "fresh-key"), 200, "")
		if _, err := w.Ledger.EndOld(t.Context(), shop, ledger.APIKey, time.Now()); err != nil {
			t.Fatal(err)
		}
		is(t, list(t, w, testbed.ShopKey), 401, "unauthorized")
	})
}

// mute is a bell that is never heard.
type mute struct{}

func (mute) Ring(context.Context, ...delivery.Delivery) error { return errors.New("the queue is down") }

// Every state that a payment can be stored in can be shown.
func TestTimelineOfEveryState(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		now := ledger.Clock(time.Now())
		states := map[payment.Status][]payment.Phase{
			payment.Pending:    {payment.PhaseSubmitting, payment.PhaseAwaitingPayer, payment.PhaseInReconciliation, payment.PhaseHeld},
			payment.Successful: {""}, payment.Failed: {""}, payment.Timeout: {""}, payment.Cancelled: {""},
		}
		for status, phases := range states {
			for _, phase := range phases {
				ref := payment.NewReference(rand.Reader)
				p := ledger.Payment{Payment: payment.Payment{
					Reference: ref, ClientID: w.Shop.ID, ExternalID: fmt.Sprint(status, phase), Provider: "mtn",
					Amount: payment.Money{Minor: 15000, Currency: "SZL"}, Payer: good, Status: status, Phase: phase, CreatedAt: now, UpdatedAt: now,
				}}
				if _, err := w.Ledger.Create(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				a := is(t, own(t, w, timelineRoute, ref, testbed.ShopKey), 200, "")
				if a.Text("status") != string(status) || a.Text("phase") != string(phase) || a.Fields["nextCheckAt"] != nil {
					t.Errorf("%s", a.Body)
				}
			}
		}
	})
}
