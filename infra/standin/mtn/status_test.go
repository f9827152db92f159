package mtn_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

const (
	head = `"externalId":"ORDER-1","amount":"150","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"`
	tail = `"},"payerMessage":"for coffee","payeeNote":"till 4",`
)

// The bodies of each state, to the byte.
func TestStatusShapes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		failed, object, created := mtn.Payer("failed_not_enough_funds"), mtn.Payer("status_reason_object"), "46733123454"
		refs := map[string]string{
			ordinary: refA, failed: refB,
			object:  "33333333-3333-4333-8333-333333333333",
			created: "44444444-4444-4444-8444-444444444444",
		}
		for payer, ref := range refs {
			w.mustPay(ref, payer)
		}
		want := func(payer, body string) {
			t.Helper()
			code, got := w.status(refs[payer])
			if diff := cmp.Diff(body, got); code != 200 || diff != "" {
				t.Errorf("%s: %d, (-want +got)\n%s", payer, code, diff)
			}
		}
		want(ordinary, "{"+head+ordinary+tail+`"status":"PENDING"}`)
		want(failed, "{"+head+failed+tail+`"status":"PENDING"}`)
		want(created, "{"+head+created+tail+`"status":"CREATED"}`)
		time.Sleep(time.Second)
		id := w.entry(refA).IDs["financialTransactionId"]
		if len(id) != 9 {
			t.Errorf("transaction id %q", id)
		}
		want(ordinary, `{"financialTransactionId":"`+id+`",`+head+ordinary+tail+`"status":"SUCCESSFUL"}`)
		want(failed, "{"+head+failed+tail+`"status":"FAILED","reason":"NOT_ENOUGH_FUNDS"}`)
		want(object, "{"+head+object+tail+`"status":"FAILED","reason":{"code":"NOT_ENOUGH_FUNDS","message":"Reason is NOT_ENOUGH_FUNDS."}}`)
		want(created, "{"+head+created+tail+`"status":"CREATED"}`)
	})
}

func TestStatusRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	defer w.Close()
	w.mustPay(refA, ordinary)
	if code, body := w.status(refB); code != 404 || body != `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}` {
		t.Errorf("unknown: %d %s", code, body)
	}
	if code, _ := w.status("not-an-id"); code != 400 {
		t.Errorf("bad id: %d", code)
	}
	if code, _ := w.status(strings.ToUpper(refA)); code != 200 {
		t.Errorf("capitals: %d", code)
	}
	if code, _ := w.do(w.request("GET", "/collection/v2_0/requesttopay/"+refA, "")); code != 404 {
		t.Errorf("version 2: %d", code)
	}
	// Another account does not see it.
	if _, err := w.Provision(mtn.Account{APIUser: refB, APIKey: userKey, SubscriptionKey: subKey, TargetEnvironment: "mtnswaziland"}); err != nil {
		t.Fatal(err)
	}
	_, body := w.do(w.request("POST", "/collection/token/", "", basic(refB, userKey)))
	w.token = strings.Split(body, `"`)[3]
	if code, _ := w.status(refA); code != 404 {
		t.Errorf("another account: %d", code)
	}
}

func TestBalanceAndAccountHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, ordinary)
		w.mustPay(refB, mtn.Payer("failed_expired"))
		time.Sleep(time.Minute)
		for _, c := range []struct {
			path string
			code int
			want string
		}{
			{"/collection/v1_0/account/balance", 200, `{"availableBalance":"150.00","currency":"SZL"}`},
			{"/collection/v1_0/account/balance/SZL", 200, `{"availableBalance":"150.00","currency":"SZL"}`},
			{"/collection/v1_0/account/balance/EUR", 500, `"code":"INVALID_CURRENCY"`},
			{"/collection/v1_0/accountholder/msisdn/26876123456/active", 200, `{"result":true}`},
			{"/collection/v1_0/accountholder/MSISDN/46733123450/active", 404, `"code":"RESOURCE_NOT_FOUND"`},
			{"/collection/v1_0/accountholder/msisdn/46733123451/active", 200, `{"result":false}`},
			{"/collection/v1_0/accountholder/msisdn/46733123452/active", 500, `"code":"NOT_ALLOWED"`},
			{"/collection/v1_0/accountholder/msisdn/46733123453/active", 500, `"code":"NOT_ALLOWED_TARGET_ENVIRONMENT"`},
			{"/collection/v1_0/accountholder/msisdn/46733123454/active", 500, `"code":"INTERNAL_PROCESSING_ERROR"`},
			{"/collection/v1_0/accountholder/msisdn/46733123455/active", 503, `"code":"SERVICE_UNAVAILABLE"`},
			{"/collection/v1_0/accountholder/phone/1/active", 400, "type"},
		} {
			code, body := w.do(w.request("GET", c.path, ""))
			if code != c.code || !strings.Contains(body, c.want) {
				t.Errorf("%s: %d %s, want %d %s", c.path, code, body, c.code, c.want)
			}
		}
	})
}

// Status answers that lie, and the one field each lies about.
func TestBentStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, ordinary)
		time.Sleep(time.Second)
		_, plain := w.status(refA)
		for f, want := range map[core.Fault][2]string{
			mtn.UnknownStatus:   {`"SUCCESSFUL"`, `"ON_HOLD"`},
			mtn.WrongAmount:     {`"150"`, `"1150"`},
			mtn.WrongCurrency:   {`"SZL"`, `"EUR"`},
			mtn.WrongPayer:      {`26876123456`, `26876123457`},
			mtn.WrongExternalID: {`"ORDER-1"`, `"ORDER-1-OTHER"`},
			mtn.ReasonObject:    {``, ``},
		} {
			if err := w.AddRule(core.Rule{Route: mtn.RouteStatus, Fault: f, Times: 1}); err != nil {
				t.Fatal(err)
			}
			_, got := w.status(refA)
			if diff := cmp.Diff(strings.Replace(plain, want[0], want[1], 1), got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", f, diff)
			}
		}
		w.AddRule(core.Rule{Route: mtn.RouteStatus, Fault: mtn.NumberFields, Times: 1})
		if _, got := w.status(refA); !strings.Contains(got, `"amount":150,`) || !strings.Contains(got, `"financialTransactionId":6`) {
			t.Errorf("numbers: %s", got)
		}
		if _, got := w.status(refA); got != plain {
			t.Errorf("after the rules: %s", got)
		}
	})
}

// The sixth to tenth GET of a second are fine, the eleventh is counted, and
// refused when asked to.
func TestGETLimit(t *testing.T) {
	t.Parallel()
	for _, enforce := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, mtn.Options{Options: core.Options{EnforceLimits: enforce}})
			defer w.Close()
			w.mustPay(refA, ordinary)
			get := func(n int) (last int) {
				for range n {
					last, _ = w.status(refA)
				}
				return last
			}
			get(5)
			time.Sleep(999 * time.Millisecond)
			if code := get(5); code != 200 || w.Counters().Violations() != 0 || w.Counters().Limits[mtn.LimitGETs].Most != 10 {
				t.Errorf("ten: %d %+v", code, w.Counters())
			}
			want := 200
			if enforce {
				want = 429
			}
			if code := get(1); code != want || w.Counters().Violations() != 1 || w.Counters().Limits[mtn.LimitGETs].Most != 11 {
				t.Errorf("eleven: %d %+v", code, w.Counters())
			}
			time.Sleep(time.Millisecond) // the first five leave the window
			if code := get(1); code != 200 || w.Counters().Violations() != 1 {
				t.Errorf("a second later: %d %+v", code, w.Counters())
			}
			if n := w.Counters().Requests[mtn.RouteStatus]; n != 12 {
				t.Errorf("counted %d", n)
			}
		})
	}
}

// A Sandbox used after Close, and one asked with a context that is over.
func TestAfterClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	w.Close()
	w.Close()
	w.mustPay(refA, ordinary)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.RoundTripper().RoundTrip(w.request("GET", "/collection/v1_0/requesttopay/"+refA, "").WithContext(ctx)); err == nil {
		t.Error("a finished context was answered")
	}
	if got := w.inbox.all(); len(got) != 0 {
		t.Errorf("callbacks after Close: %v", got)
	}
}
