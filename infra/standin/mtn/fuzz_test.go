package mtn_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// FuzzRequestToPay: no body or header makes the sandbox panic, answer what is
// not documented, or accept what is not a payment.
func FuzzRequestToPay(f *testing.F) {
	f.Add([]byte(bodyFor(ordinary)), refA, callbacks)
	f.Add([]byte(bodyFor("46733123450")), refB, "")
	f.Add([]byte(`{"amount":"1e3","currency":"SZL"}`), "x", "http://[::1]:99999/%zz")
	f.Add([]byte(`{"amount":{},"payer":[]}`), "", "//gateway.example")
	f.Add([]byte("\x00\xff[[[[{\"amount\":\"٣\"}"), refA, "https://user:pw@gateway.example/")
	known := map[int]bool{202: true, 400: true, 401: true, 411: true, 413: true, 500: true}
	f.Fuzz(func(t *testing.T, body []byte, reference, callback string) {
		w := newWorld(t, mtn.Options{Options: core.Options{Times: core.Times{Long: 1}, InstantTimeouts: true,
			Choose: func(core.Call) (core.Script, bool) { return core.Script{}, true }}})
		defer w.Close()
		code, answer := w.do(w.request("POST", "/collection/v1_0/requesttopay", string(body), func(r *http.Request) {
			r.Header["X-Reference-Id"] = []string{reference}
			r.Header["X-Callback-Url"] = []string{callback}
			r.Header.Set("Content-Type", "application/json")
		}))
		if !known[code] || code == 500 && !strings.Contains(answer, `"code":"`) {
			t.Errorf("%d %s", code, answer)
		}
		if code != 202 {
			return
		}
		var p map[string]any
		if err := json.Unmarshal(body, &p); err != nil || len(body) > 64<<10 {
			t.Errorf("accepted %q: %v", body, err)
		}
		code, answer = w.status(reference)
		if code != 200 || !json.Valid([]byte(answer)) {
			t.Errorf("accepted, then %d %s", code, answer)
		}
		e := w.entry(reference)
		var n float64
		if _, err := fmt.Sscanf(e.Amount, "%g", &n); err != nil || n <= 0 || strings.HasSuffix(e.Amount, ".") {
			t.Errorf("accepted amount %q from %q", e.Amount, body)
		}
	})
}

// FuzzPaths: no method, path or query panics, control API included.
func FuzzPaths(f *testing.F) {
	f.Add("GET", "/collection/v1_0/requesttopay/"+refA, "")
	f.Add("POST", "/_standin/payments/x/outcome", `{"status":"x"}`)
	f.Add("POST", "/collection/v1_0///requesttopay", "{}")
	f.Add("PUT", "/collection/token/", "x")
	f.Add("GET", "/v1_0/apiuser/%2F", "")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		w := newWorld(t, mtn.Options{Options: core.Options{InstantTimeouts: true}})
		defer w.Close()
		r, err := http.NewRequest(method, "http://localhost/", strings.NewReader(body))
		if err != nil {
			return // no request at all
		}
		u, err := r.URL.Parse(path)
		if err != nil {
			return
		}
		u.Scheme, u.Host = "http", "localhost"
		r.URL = u
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("Ocp-Apim-Subscription-Key", subKey)
		r.Header.Set("X-Target-Environment", "mtnswaziland")
		if code, _ := w.do(r); code < 200 || code > 599 {
			t.Errorf("%s %s: %d", method, path, code)
		}
	})
}
