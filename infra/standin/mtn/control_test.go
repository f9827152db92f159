package mtn_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"momoproxy/infra/standin/mtn"
)

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
