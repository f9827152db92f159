package mtn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

const (
	alreadyThere = `{"message":"Duplicated reference id. Creation of resource failed.","code":"RESOURCE_ALREADY_EXIST"}`
	firewallPage = "<html><head><title>Request Rejected</title></head></html>"
)

// TestSubmitWire holds the request to the letter.
func TestSubmitWire(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := newProvider(t, f, nil)
	pay := newPayment()
	a := p.Submit(t.Context(), pay, callbackURL)
	if a.Evidence.Verdict != payment.SaysAccepted {
		t.Fatalf("%+v", a.Evidence)
	}
	calls, bodies, _ := f.seen()
	want := `{"amount":"150.50","currency":"SZL","externalId":"` + pay.Reference +
		`","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"payerMessage":"Order 1","payeeNote":"shop"}`
	if diff := cmp.Diff([]string{want}, bodies); diff != "" {
		t.Error(diff)
	}
	got := calls[0].Header.Clone()
	for _, name := range []string{"Accept-Encoding", "User-Agent"} {
		got.Del(name)
	}
	wantHeader := http.Header{
		"Authorization":             {"Bearer " + f.token},
		"X-Reference-Id":            {pay.Reference},
		"X-Target-Environment":      {"sandbox"},
		"Ocp-Apim-Subscription-Key": {subscriptionKey},
		"Content-Type":              {"application/json"},
		"X-Callback-Url":            {callbackURL},
		"Content-Length":            {strconv.Itoa(len(want))},
	}
	if diff := cmp.Diff(wantHeader, got); diff != "" {
		t.Error(diff)
	}

	pay = newPayment()
	pay.Amount = payment.Money{Minor: 15000, Currency: "SZL"}
	pay.PayerMessage, pay.PayeeNote = "", ""
	p.Submit(t.Context(), pay, "")
	calls, bodies, _ = f.seen()
	want = `{"amount":"150","currency":"SZL","externalId":"` + pay.Reference + `","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"payerMessage":"Payment","payeeNote":"Payment"}`
	if diff := cmp.Diff(want, bodies[1]); diff != "" {
		t.Error(diff)
	}
	if v, there := calls[1].Header["X-Callback-Url"]; there {
		t.Errorf("X-Callback-Url is %q where there is no URL", v)
	}
}

// TestSubmitAnswers walks every row of the tables: each answer alone, given
// to every attempt.
func TestSubmitAnswers(t *testing.T) {
	t.Parallel()
	const (
		nothing  = payment.SaysNothing
		accepted = payment.SaysAccepted
		refused  = payment.SaysRefused
	)
	for _, c := range []struct {
		name     string
		answer   answer
		verdict  payment.Verdict
		code     string
		attempts int
	}{
		{"accepted", works, accepted, "", 1},
		{"accepted with a body", says(202, "<html>"), accepted, "", 1},
		{"accepted, body broken off", truncatedAs(202), accepted, "", 1},
		{"already there", says(409, alreadyThere), accepted, "RESOURCE_ALREADY_EXIST", 1},
		{"already there as 500", says(500, alreadyThere), accepted, "RESOURCE_ALREADY_EXIST", 1},
		{"409 without the code", says(409, `{}`), nothing, "HTTP_409", 1},
		{"409 page", says(409, "<html>"), nothing, "HTTP_409", 1},

		{"200 empty", says(200, ""), nothing, "LIKELY_DUPLICATE", 1},
		{"200 JSON", says(200, "{}"), nothing, "LIKELY_DUPLICATE", 1},
		{"200 page", says(200, firewallPage), nothing, "HTTP_200", 1},
		{"200 with a refusal's code", says(200, `{"code":"INVALID_CURRENCY"}`), nothing, "LIKELY_DUPLICATE", 1},
		{"201", says(201, ""), nothing, "HTTP_201", 1},
		{"302", redirects, nothing, "HTTP_302", 1},

		{"NOT_ALLOWED", says(500, `{"message":"m","code":"NOT_ALLOWED"}`), refused, "NOT_ALLOWED", 1},
		{"NOT_ALLOWED_TARGET_ENVIRONMENT", says(500, `{"code":"NOT_ALLOWED_TARGET_ENVIRONMENT"}`), refused, "NOT_ALLOWED_TARGET_ENVIRONMENT", 1},
		{"INVALID_CALLBACK_URL_HOST", says(500, `{"code":"INVALID_CALLBACK_URL_HOST"}`), refused, "INVALID_CALLBACK_URL_HOST", 1},
		{"INVALID_CURRENCY", says(500, `{"message":"Currency not supported.","code":"INVALID_CURRENCY"}`), refused, "INVALID_CURRENCY", 1},
		{"PAYER_NOT_FOUND", says(500, `{"code":"PAYER_NOT_FOUND"}`), refused, "PAYER_NOT_FOUND", 1},
		{"PAYEE_NOT_ALLOWED_TO_RECEIVE", says(500, `{"code":"PAYEE_NOT_ALLOWED_TO_RECEIVE"}`), refused, "PAYEE_NOT_ALLOWED_TO_RECEIVE", 1},
		{"PAYEE_NOT_FOUND", says(404, `{"code":"PAYEE_NOT_FOUND"}`), refused, "PAYEE_NOT_FOUND", 1},
		{"NOT_ENOUGH_FUNDS", says(500, `{"code":"NOT_ENOUGH_FUNDS"}`), refused, "NOT_ENOUGH_FUNDS", 1},
		{"PAYER_LIMIT_REACHED", says(500, `{"code":"PAYER_LIMIT_REACHED"}`), refused, "PAYER_LIMIT_REACHED", 1},
		{"SENDER_ACCOUNT_NOT_ACTIVE", says(500, `{"code":"SENDER_ACCOUNT_NOT_ACTIVE"}`), refused, "SENDER_ACCOUNT_NOT_ACTIVE", 1},
		{"400 empty", says(400, ""), nothing, "HTTP_400", 1},
		{"400 page", says(400, "<html>"), nothing, "HTTP_400", 1},
		{"400 with a new code", says(400, `{"code":"SOMETHING_NEW"}`), nothing, "SOMETHING_NEW", 1},
		{"400 EXPIRED", says(400, `{"code":"EXPIRED"}`), nothing, "EXPIRED", 1},
		{"400 PAYMENT_NOT_APPROVED", says(400, `{"code":"PAYMENT_NOT_APPROVED"}`), nothing, "PAYMENT_NOT_APPROVED", 1},
		{"400 with a refusal's code", says(400, `{"code":"PAYER_NOT_FOUND"}`), refused, "PAYER_NOT_FOUND", 1},
		{"401 page", says(401, "<html>"), nothing, "HTTP_401", 1},
		{"403 page", says(403, firewallPage), nothing, "HTTP_403", 1},
		{"403 empty", says(403, ""), nothing, "HTTP_403", 1},
		{"400 with an ambiguous code", says(400, `{"code":"INTERNAL_PROCESSING_ERROR"}`), nothing, "INTERNAL_PROCESSING_ERROR", 1},
		{"403", says(403, `{"statusCode":403,"message":"FORBIDDEN IP"}`), refused, "FORBIDDEN_IP", 1},

		{"INTERNAL_PROCESSING_ERROR", says(500, `{"code":"INTERNAL_PROCESSING_ERROR"}`), nothing, "INTERNAL_PROCESSING_ERROR", 1},
		{"COULD_NOT_PERFORM_TRANSACTION", says(500, `{"code":"COULD_NOT_PERFORM_TRANSACTION"}`), nothing, "COULD_NOT_PERFORM_TRANSACTION", 1},
		{"EXPIRED", says(500, `{"code":"EXPIRED"}`), nothing, "EXPIRED", 1},
		{"APPROVAL_REJECTED", says(500, `{"code":"APPROVAL_REJECTED"}`), nothing, "APPROVAL_REJECTED", 1},
		{"unknown code", says(500, `{"code":"SOMETHING_NEW"}`), nothing, "SOMETHING_NEW", 1},
		{"SERVICE_UNAVAILABLE", says(503, `{"code":"SERVICE_UNAVAILABLE"}`), nothing, "SERVICE_UNAVAILABLE", 3},
		{"500 empty", says(500, ""), nothing, "HTTP_500", 3},
		{"500 with the code twice", says(500, `{"code":"NOT_ALLOWED","code":"NOT_ALLOWED"}`), nothing, "HTTP_500", 3},
		{"502 page", says(502, "<html>"), nothing, "HTTP_502", 3},
		{"504", says(504, ""), nothing, "HTTP_504", 3},
		{"429", says(429, `{"statusCode":429,"message":"Rate limit is exceeded."}`), nothing, "HTTP_429", 3},
		{"404 page", says(404, "<html>"), nothing, "HTTP_404", 1},
		{"404 RESOURCE_NOT_FOUND", says(404, `{"code":"RESOURCE_NOT_FOUND"}`), nothing, "RESOURCE_NOT_FOUND", 1},
		{"411", says(411, "<html>"), nothing, "HTTP_411", 1},
		{"reset", reset(false), nothing, "", 3},
		{"broken off", truncatedAs(500), nothing, "", 3},
		{"endless", endless, nothing, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.then(c.answer)
			p := newProvider(t, f, nil)
			a := p.Submit(t.Context(), newPayment(), callbackURL)
			if a.Evidence.Verdict != c.verdict || a.Evidence.Code != c.code {
				t.Errorf("got %q %q, want %q %q", a.Evidence.Verdict, a.Evidence.Code, c.verdict, c.code)
			}
			calls, _, _ := f.seen()
			if len(calls) != c.attempts {
				t.Errorf("%d attempts, want %d", len(calls), c.attempts)
			}
			for _, call := range calls {
				if call.Header.Get("X-Reference-Id") != calls[0].Header.Get("X-Reference-Id") {
					t.Error("a repeat under another reference")
				}
			}
			if want := strings.HasPrefix(c.name, "200") && c.name != "200 page"; (a.Evidence.Code == "LIKELY_DUPLICATE") != want {
				t.Errorf("code %s", a.Evidence.Code)
			}
			if !a.Attempted || len(a.Exchanges) != c.attempts+1 { // and the token
				t.Errorf("attempted %t, %d exchanges", a.Attempted, len(a.Exchanges))
			}
		})
	}
}

func truncatedAs(code int) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"code":"NOT_ALLOWED"`))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func redirects(w http.ResponseWriter, r *http.Request, _ func()) {
	http.Redirect(w, r, "/elsewhere", http.StatusFound)
}

// TestSubmitAfterDoubt: what an answer means depends on what came before it.
func TestSubmitAfterDoubt(t *testing.T) {
	t.Parallel()
	refusal := says(500, `{"code":"INVALID_CURRENCY"}`)
	down := says(503, `{"code":"SERVICE_UNAVAILABLE"}`)
	for _, c := range []struct {
		name    string
		script  []answer
		verdict payment.Verdict
		code    string
		charges int
	}{
		{"lost, then already there", []answer{reset(true), works}, payment.SaysAccepted, "RESOURCE_ALREADY_EXIST", 1},
		{"not arrived, then accepted", []answer{reset(false), works}, payment.SaysAccepted, "", 1},
		{"twice lost, then already there", []answer{reset(true), reset(false), works}, payment.SaysAccepted, "RESOURCE_ALREADY_EXIST", 1},
		{"unavailable though taken, then already there", []answer{saysAfter(503, ""), works}, payment.SaysAccepted, "RESOURCE_ALREADY_EXIST", 1},
		{"lost, then refused", []answer{reset(true), refusal}, payment.SaysNothing, "INVALID_CURRENCY", 1},
		{"lost, then 400", []answer{reset(true), says(400, "")}, payment.SaysNothing, "HTTP_400", 1},
		{"unavailable, then refused", []answer{down, refusal}, payment.SaysNothing, "INVALID_CURRENCY", 0},
		{"throttled, then refused", []answer{says(429, ""), refusal}, payment.SaysNothing, "INVALID_CURRENCY", 0},
		{"lost, then credentials", []answer{reset(true), says(401, "")}, payment.SaysNothing, mtn.CodeCredentials, 1},
		{"credentials", []answer{says(401, "")}, payment.SaysRefused, mtn.CodeCredentials, 0},
		{"401 with a code of a payment under way", []answer{says(401, `{"code":"EXPIRED"}`)}, payment.SaysNothing, "EXPIRED", 0},
		{"401 with a refusal's code", []answer{says(401, `{"code":"INVALID_CURRENCY"}`)}, payment.SaysRefused, "INVALID_CURRENCY", 0},
		{"token ended, then accepted", []answer{says(401, ""), works}, payment.SaysAccepted, "", 1},
		{"token ended, then refused", []answer{says(401, ""), refusal}, payment.SaysRefused, "INVALID_CURRENCY", 0},
		{"token ended, then lost, then accepted", []answer{says(401, ""), reset(true), works}, payment.SaysAccepted, "RESOURCE_ALREADY_EXIST", 1},
		{"lost, then 200", []answer{reset(true), says(200, "")}, payment.SaysNothing, "LIKELY_DUPLICATE", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.then(c.script...)
			p := newProvider(t, f, nil)
			pay := newPayment()
			a := p.Submit(t.Context(), pay, callbackURL)
			if a.Evidence.Verdict != c.verdict || a.Evidence.Code != c.code {
				t.Errorf("got %q %q, want %q %q", a.Evidence.Verdict, a.Evidence.Code, c.verdict, c.code)
			}
			if n := f.charges(pay.Reference); n != c.charges {
				t.Errorf("%d charges, want %d", n, c.charges)
			}
		})
	}
}

// TestSubmitUnsent: with no connection at all nothing can have been charged,
// and the caller learns it.
func TestSubmitUnsent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	client := mtn.NewHTTPClient()
	p := newProviderWith(t, config(f.URL), nil, client, time.Now)
	if err := p.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.stop()
	client.CloseIdleConnections() // a kept one counts as sent
	a := p.Submit(t.Context(), newPayment(), "")
	if a.Attempted || a.Evidence.Verdict != payment.SaysNothing {
		t.Errorf("%+v", a)
	}
	if len(a.Exchanges) != 3 || a.Exchanges[0].Err != "dial" || a.Exchanges[0].Code != 0 {
		t.Errorf("exchanges: %+v", a.Exchanges)
	}
}

// submitInBubble submits once to an MTN that answers each attempt alike. More
// than ten attempts end all tests: the others would go on without end.
func submitInBubble(t *testing.T, ctx context.Context, pay payment.Payment, callbackURL string, answer func() (*http.Response, error), options ...mtn.Option) (a provider.Answer, attempts int, took time.Duration) {
	t.Helper()
	p := bubbleProvider(t, providertest.NewMemoryTokens(nil), func(r *http.Request) (*http.Response, error) {
		if isToken(r) {
			return response(200, goodToken), nil
		}
		if attempts++; attempts > 10 {
			panic("MTN is asked without end")
		}
		return answer()
	}, options...)
	begin := time.Now()
	a = p.Submit(ctx, pay, callbackURL)
	return a, attempts, time.Since(begin)
}

// TestSubmitAttempts: how often, and how far apart, MTN is asked.
func TestSubmitAttempts(t *testing.T) {
	after := func(seconds string) func() (*http.Response, error) {
		return func() (*http.Response, error) {
			r := response(503, `{"code":"SERVICE_UNAVAILABLE"}`)
			r.Header.Set("Retry-After", seconds)
			return r, nil
		}
	}
	for name, c := range map[string]struct {
		answer   func() (*http.Response, error)
		attempts int
		least    time.Duration
		verdict  payment.Verdict
	}{
		"asks for a wait of 3 s":    {after("3"), 3, 6 * time.Second, payment.SaysNothing},
		"asks for a wait of 4 s":    {after("4"), 1, 0, payment.SaysNothing},
		"an error of no known kind": {func() (*http.Response, error) { return nil, errors.New("odd") }, 1, 0, payment.SaysNothing},
		"a refusal under HTTP 300":  {func() (*http.Response, error) { return response(300, `{"code":"PAYER_NOT_FOUND"}`), nil }, 1, 0, payment.SaysRefused},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, attempts, took := submitInBubble(t, t.Context(), newPayment(), "", c.answer)
			if attempts != c.attempts || took < c.least || took > c.least+5*time.Second || a.Evidence.Verdict != c.verdict {
				t.Errorf("%s: %d attempts in %s, %+v", name, attempts, took, a.Evidence)
			}
		})
	}
}

func TestSubmitStopsBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		slow := mtn.WithBackoff(func(int) time.Duration { return time.Hour })
		a, attempts, took := submitInBubble(t, ctx, newPayment(), "", func() (*http.Response, error) { return response(503, ""), nil }, slow)
		if attempts != 1 || took != 0 || a.Evidence.Verdict != payment.SaysNothing {
			t.Errorf("%d attempts in %s, %+v", attempts, took, a.Evidence)
		}
	})
}

// TestSubmitUsesTheTimeLeft: an attempt that just fits before the deadline is
// made.
func TestSubmitUsesTheTimeLeft(t *testing.T) {
	for left, want := range map[time.Duration]int{1500 * time.Millisecond: 2, 1500*time.Millisecond - 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			second := mtn.WithBackoff(func(int) time.Duration { return time.Second })
			_, attempts, _ := submitInBubble(t, ctx, newPayment(), "", func() (*http.Response, error) { return response(503, ""), nil }, second)
			if attempts != want {
				t.Errorf("%d attempts in %s, want %d", attempts, left, want)
			}
		})
	}
}

// TestSubmitHidesTheToken: wherever MTN repeats the secret part of the callback
// URL, it is not kept; what is no secret is.
func TestSubmitHidesTheToken(t *testing.T) {
	pay := newPayment()
	for last, hidden := range map[string]bool{
		callbackToken: true, strings.Repeat("t", 16): true, strings.Repeat("t", 15): false, pay.Reference: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _, _ := submitInBubble(t, t.Context(), pay, "https://pay.example.com/callback/"+last, func() (*http.Response, error) {
				return response(500, `{"code":"INTERNAL_PROCESSING_ERROR","message":"no route to `+last+`"}`), nil
			})
			kept := fmt.Sprintf("%+v", a.Exchanges[len(a.Exchanges)-1])
			if strings.Contains(kept, "no route to "+last) == hidden || strings.Contains(kept, "callback/"+last) {
				t.Errorf("%s: %s", last, kept)
			}
		})
	}
}

func TestSubmitRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"0": 3, "60": 1, "-1": 1, "99999999999999999999": 1, "9999999999": 1, "Wed, 21 Oct 2026 07:28:00 GMT": 1} {
		f := newFake(t)
		f.then(func(w http.ResponseWriter, _ *http.Request, _ func()) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		})
		p := newProvider(t, f, nil)
		p.Submit(t.Context(), newPayment(), "")
		if calls, _, _ := f.seen(); len(calls) != want {
			t.Errorf("Retry-After %q: %d attempts, want %d", value, len(calls), want)
		}
	}
}
