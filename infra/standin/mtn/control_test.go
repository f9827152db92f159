package mtn_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

func TestControl(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, mtn.Options{Options: core.Options{Now: func() time.Time { return now }, AfterFunc: func(time.Duration, func()) func() bool { return func() bool { return true } }}})
	defer w.Close()
	w.mustPay(refA, mtn.Payer(mtn.ScriptPending))
	for _, c := range []struct {
		call, body string
		code       int
		want       string
	}{
		{"GET /payments", "", 200, `"reference":"` + refA + `"`},
		{"GET /payments/" + refA, "", 200, `"status":"PENDING"`},
		{"GET /payments/" + refB, "", 404, "no such payment"},
		{"GET /counters", "", 200, `"requesttopay":1`},
		{"GET /scripts", "", 200, `"name":"callback_forged"`},
		{"GET /faults", "", 200, `"timeout_after"`},
		{"GET /rules", "", 200, "[]"},
		{"POST /rules", `{"route":"status","fault":"error503_before","times":2}`, 201, `"times":2`},
		{"GET /rules", "", 200, `[{"route":"status","fault":"error503_before","times":2}]`},
		{"POST /rules", `{"fault":"boom"}`, 422, "boom"},
		{"POST /rules", `{"falt":"x"}`, 400, "falt"},
		{"POST /rules", `{`, 400, "error"},
		{"DELETE /rules", "", 204, ""},
		{"GET /rules", "", 200, "[]"},
		{"POST /payments/" + refA + "/callback", `{"status":"SUCCESSFUL","forged":"stranger"}`, 200, `"forged":"stranger"`},
		{"POST /payments/" + refB + "/callback", ``, 404, "no such payment"},
		{"POST /payments/" + refA + "/outcome", `{}`, 422, "outcome"},
		{"POST /payments/" + refA + "/outcome", `{"outcome":"approve"}`, 200, `"charges":1`},
		{"POST /payments/" + refA + "/outcome", `{"outcome":"FAILED"}`, 409, "moved"},
		{"POST /payments/" + refB + "/outcome", `{"outcome":"FAILED"}`, 404, "no such payment"},
		{"POST /payments/" + refA + "/forget", "", 200, refA},
		{"POST /payments/" + refB + "/forget", "", 404, "no such payment"},
		{"POST /payments/" + refA + "/explode", "", 404, "no such call"},
		{"POST /expire-tokens", "", 204, ""},
		{"POST /reset", "", 204, ""},
		{"GET /payments", "", 200, "[]"},
		{"GET /nothing", "", 404, "no such call"},
		{"GET /a/b/c/d", "", 404, "no such call"},
		{"POST /rules", `"` + strings.Repeat("x", 1<<20) + `"`, 413, "too long"},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		r := w.request(method, "/_standin"+path, c.body)
		r.URL.Host, r.Host = "localhost", "localhost"
		code, body := w.do(r)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %.200s, want %d %s", c.call, c.body, code, body, c.code, c.want)
		}
		if code != 204 && !json.Valid([]byte(body)) {
			t.Errorf("%s: no JSON: %s", c.call, body)
		}
	}
}

// Other machines, and pages in a browser here, are turned away.
func TestControlIsLocal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	for name, change := range map[string]func(*http.Request){
		"another machine": func(r *http.Request) { r.RemoteAddr = "192.0.2.7:5555" },
		"a page":          func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"a pointed name":  func(r *http.Request) { r.Host = "evil.example:8090" },
		"no peer":         func(r *http.Request) { r.RemoteAddr = "" },
	} {
		r := httptest.NewRequest("GET", "http://localhost/_standin/payments", nil)
		r.RemoteAddr = "127.0.0.1:5555"
		change(r)
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if rec.Code != 403 {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	for _, host := range []string{"localhost:1", "127.0.0.1", "[::1]:8090"} {
		r := httptest.NewRequest("GET", "/_standin/payments", nil)
		r.RemoteAddr, r.Host = "[::1]:5555", host
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if rec.Code != 200 {
			t.Errorf("%s: %d", host, rec.Code)
		}
	}
}
