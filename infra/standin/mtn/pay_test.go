package mtn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

const ordinary = "26876123456"

func TestRequestToPay(t *testing.T) {
	t.Parallel()
	swap := func(old, new string) string { return strings.Replace(bodyFor(ordinary), old, new, 1) }
	type h = []func(*http.Request)
	code := func(c string) string { return `"code":"` + c + `"` }
	for _, c := range []struct {
		name   string
		path   string
		body   string
		change h
		code   int
		want   string
	}{
		{name: "accepted", code: 202},
		{name: "without callback", change: h{without("X-Callback-Url")}, code: 202},
		{name: "plain http callback", change: h{header("X-Callback-Url", "http://gateway.example:8080/x")}, code: 202},
		{name: "capital reference", change: h{header("X-Reference-Id", strings.ToUpper("aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa"))}, code: 202},
		{name: "without texts", body: `{"amount":"5","currency":"SZL","externalId":"1","payer":{"partyIdType":"MSISDN","partyId":"0248888736"}}`, code: 202},
		{name: "payer by e-mail", body: `{"amount":"5","currency":"SZL","externalId":"1","payer":{"partyIdType":"EMAIL","partyId":"a@b.example"}}`, code: 202},

		{name: "no reference", change: h{without("X-Reference-Id")}, code: 400, want: "X-Reference-Id"},
		{name: "reference no UUID", change: h{header("X-Reference-Id", "1")}, code: 400, want: "X-Reference-Id"},
		{name: "reference of version 1", change: h{header("X-Reference-Id", "11111111-1111-1111-8111-111111111111")}, code: 400, want: "X-Reference-Id"},
		{name: "reference of a foreign variant", change: h{header("X-Reference-Id", "11111111-1111-4111-c111-111111111111")}, code: 400, want: "X-Reference-Id"},
		{name: "empty callback header", change: h{header("X-Callback-Url", "")}, code: 400, want: "X-Callback-Url"},
		{name: "callback no URL", change: h{header("X-Callback-Url", "gateway.example/x")}, code: 400, want: "X-Callback-Url"},
		{name: "callback to another host", change: h{header("X-Callback-Url", "https://evil.example/x")}, code: 500, want: code("INVALID_CALLBACK_URL_HOST")},
		{name: "callback to a subdomain", change: h{header("X-Callback-Url", "https://a.gateway.example/x")}, code: 500, want: code("INVALID_CALLBACK_URL_HOST")},
		{name: "callback to an address", change: h{header("X-Callback-Url", "https://192.0.2.1/x")}, code: 500, want: code("INVALID_CALLBACK_URL_HOST")},
		{name: "wrong environment", change: h{header("X-Target-Environment", "sandbox")}, code: 500, want: code("NOT_ALLOWED_TARGET_ENVIRONMENT")},
		{name: "no environment", change: h{without("X-Target-Environment")}, code: 400, want: "X-Target-Environment"},
		{name: "no token", change: h{without("Authorization")}, code: 401, want: "Unauthorized"},
		{name: "wrong token", change: h{header("Authorization", "Bearer x")}, code: 401, want: "Unauthorized"},
		{name: "wrong subscription", change: h{header("Ocp-Apim-Subscription-Key", "x")}, code: 401, want: "Access denied due to invalid subscription key"},
		{name: "wrong content type", change: h{header("Content-Type", "text/plain")}, code: 415},
		{name: "slashes", path: "/collection/v1_0///requesttopay", code: 400, want: "empty path segment"},
		{name: "leading slashes", path: "//collection/v1_0/requesttopay", code: 400, want: "empty path segment"},
		{name: "version 2", path: "/collection/v2_0/requesttopay", code: 404, want: "Resource not found"},
		{name: "token of another product", path: "/disbursement/v1_0/transfer", code: 401, want: "Unauthorized"},

		{name: "not JSON", body: "{", code: 400},
		{name: "JSON and more", body: bodyFor(ordinary) + "{}", code: 400},
		{name: "array", body: "[]", code: 400},
		{name: "null", body: "null", code: 400},
		{name: "amount a number", body: swap(`"150.00"`, `150.00`), code: 400},
		{name: "amount zero", body: swap("150.00", "0.00"), code: 400, want: "amount"},
		{name: "amount negative", body: swap("150.00", "-1"), code: 400, want: "amount"},
		{name: "amount with exponent", body: swap("150.00", "1e3"), code: 400, want: "amount"},
		{name: "amount with three places", body: swap("150.00", "1.001"), code: 400, want: "amount"},
		{name: "amount with spaces", body: swap("150.00", " 10 "), code: 400, want: "amount"},
		{name: "amount in other digits", body: swap("150.00", "٣"), code: 400, want: "amount"},
		{name: "amount without end", body: swap("150.00", strings.Repeat("9", 30)), code: 400, want: "amount"},
		{name: "amount ends in a point", body: swap("150.00", "150."), code: 400, want: "amount"},
		{name: "no amount", body: swap(`"amount":"150.00",`, ""), code: 400, want: "amount"},
		{name: "no currency", body: swap("SZL", ""), code: 400, want: "currency"},
		{name: "wrong currency", body: swap("SZL", "EUR"), code: 500, want: code("INVALID_CURRENCY")},
		{name: "no external id", body: swap("ORDER-1", ""), code: 400, want: "externalId"},
		{name: "no payer", body: swap(`"partyId":"26876123456"`, `"x":"y"`), code: 400, want: "partyId"},
		{name: "payer of another kind", body: swap("MSISDN", "PHONE"), code: 400, want: "partyIdType"},
		{name: "payer with a plus", body: swap("26876123456", "+26876123456"), code: 500, want: code("PAYER_NOT_FOUND")},
		{name: "message with an apostrophe", body: swap("for coffee", "Sipho's coffee"), code: 200, want: "<title>Request Rejected</title>"},
		{name: "message with an ampersand", body: swap("for coffee", "a & b"), code: 200, want: "<title>Request Rejected</title>"},
		{name: "message with parentheses", body: swap("for coffee", "General (Presale)"), code: 200, want: "<title>Request Rejected</title>"},
		{name: "note with an apostrophe", body: swap("till 4", "it's"), code: 200, want: "<title>Request Rejected</title>"},
		{name: "message of 160", body: swap("for coffee", strings.Repeat("x", 160)), code: 202},
		{name: "message of 161", body: swap("for coffee", strings.Repeat("x", 161)), code: 400, want: "160"},
		{name: "note of 161", body: swap("till 4", strings.Repeat("x", 161)), code: 400, want: "160"},
		{name: "body too long", body: `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, code: 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mtn.Options{})
			defer w.Close()
			if c.path == "" {
				c.path = "/collection/v1_0/requesttopay"
			}
			if c.body == "" {
				c.body = bodyFor(ordinary)
			}
			change := append(h{header("X-Reference-Id", refA), header("X-Callback-Url", callbacks)}, c.change...)
			got, body := w.do(w.request("POST", c.path, c.body, change...))
			if got != c.code || !strings.Contains(body, c.want) || (got == 202) != (body == "") {
				t.Errorf("%d %s, want %d %s", got, body, c.code, c.want)
			}
			accepted := 0
			for _, e := range w.Ledger() {
				accepted += e.Accepted
			}
			if (accepted == 1) != (c.code == 202) {
				t.Errorf("accepted %d payments after %d", accepted, got)
			}
		})
	}
}

// An accepted request has an empty body and says so.
func TestAcceptedOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	r := w.request("POST", "/collection/v1_0/requesttopay", bodyFor(ordinary), header("X-Reference-Id", refA))
	r.URL.Host = srv.Listener.Addr().String()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 202 || resp.ContentLength != 0 || resp.Header.Get("Content-Length") != "0" || resp.Header.Get("Content-Type") != "" {
		t.Errorf("%d, length %d, header %v", resp.StatusCode, resp.ContentLength, resp.Header)
	}
}

func TestDuplicateReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	defer w.Close()
	w.mustPay(refA, ordinary)
	for _, body := range []string{bodyFor(ordinary), strings.Replace(bodyFor(ordinary), "150.00", "1", 1)} {
		code, got := w.do(w.request("POST", "/collection/v1_0/requesttopay", body, header("X-Reference-Id", strings.ToUpper(refA))))
		if want := `{"message":"Duplicated reference id. Creation of resource failed.","code":"RESOURCE_ALREADY_EXIST"}`; code != 409 || got != want {
			t.Errorf("%d %s", code, got)
		}
	}
	// The external id need not be unique.
	w.mustPay(refB, ordinary)
	if e := w.entry(refA); e.Asks != 3 || e.Accepted != 1 || e.Duplicates != 2 || e.Amount != "150" {
		t.Errorf("%+v", e)
	}
}

func TestCallbackScheme(t *testing.T) {
	t.Parallel()
	for scheme, bad := range map[string]string{"http": "https", "https": "http"} {
		w := newWorld(t, mtn.Options{CallbackScheme: scheme})
		defer w.Close()
		for s, want := range map[string]int{scheme: 202, bad: 400} {
			code, body := w.do(w.request("POST", "/collection/v1_0/requesttopay", bodyFor(ordinary),
				header("X-Reference-Id", refA), header("X-Callback-Url", s+"://gateway.example/x")))
			if code != want {
				t.Errorf("only %s: %s: %d %s", scheme, s, code, body)
			}
		}
	}
}

// A reference that was forgotten is taken for a new one: the books show two
// charges, which is what a caller's own ids must prevent.
func TestForgottenReference(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, mtn.Options{Options: core.Options{Now: func() time.Time { return now },
		AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }}, TokenLife: 1000 * time.Hour, Remember: 24 * time.Hour})
	w.mustPay(refA, ordinary)
	now = now.Add(23 * time.Hour)
	if code, _ := w.status(refA); code != 200 {
		t.Fatalf("after 23 h: %d", code)
	}
	now = now.Add(time.Hour)
	if code, _ := w.status(refA); code != 404 {
		t.Fatalf("after 24 h: %d", code)
	}
	w.mustPay(refA, ordinary)
	now = now.Add(time.Hour)
	if e := w.entry(refA); e.Charges != 2 || e.Accepted != 2 {
		t.Errorf("%+v", e)
	}
}
