package httpapi_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"momoproxy/infra/cloud"
	"momoproxy/infra/testbed"
	"momoproxy/shared/httpapi"
)

// unknown is what the default route's function gets of a request.
func unknown(method, path string) httpapi.Request {
	r := cloud.Request(httpapi.DefaultRoute)
	r.RawPath, r.RequestContext.HTTP.Method, r.RequestContext.HTTP.Path = path, method, path
	return r
}

func TestUnknownRoutes(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, c := range []struct {
			method, path string
			status       int
			allow, says  string
		}{
			{"GET", "/nothing", 404, "", "no route GET /nothing"},
			{"GET", "/", 404, "", "no route GET /."},
			{"GET", "", 404, "", ""},
			{"OPTIONS", "*", 404, "", ""},
			{"GET", "/status", 404, "", ""},
			{"GET", "/Health", 404, "", ""},
			{"GET", "/$default", 404, "", ""},

			{"GET", "/payments/", 404, "", "Send the request to /payments,"},
			{"POST", "/request-to-pay/", 404, "", "Send the request to /request-to-pay,"},
			{"POST", "//request-to-pay", 404, "", "Send the request to /request-to-pay,"},
			{"GET", "/status/abc/", 404, "", "Send the request to /status/abc,"},
			{"POST", "//callback", 404, "", "Send the request to /callback,"},
			{"DELETE", "/health/", 404, "", "Send the request to /health,"},
			{"GET", "/status/", 404, "", "no route"},

			{"GET", "/request-to-pay", 405, "POST", "takes POST, not GET"},
			{"DELETE", "/health", 405, "GET, HEAD", "takes GET, HEAD, not DELETE"},
			{"OPTIONS", "/payments", 405, "GET", ""},
			{"OPTIONS", "/health", 405, "GET, HEAD", ""},
			{"HEAD", "/payments/abc", 405, "GET", ""},
			{"GET", "/callback", 405, "POST, PUT", ""},
			{"GET", "/callback/r/t", 405, "POST, PUT", ""},
			{"GET", "/webhooks/mom-factura/t", 405, "POST", ""},
			{"PATCH", "/payments/abc/resend-callback", 405, "POST", ""},
		} {
			a := w.Call(t.Context(), unknown(c.method, c.path))
			code := map[int]string{404: "route_not_found", 405: "method_not_allowed"}[c.status]
			if c.method == "HEAD" { // it has no body
				code = ""
			}
			is(t, a, c.status, code)
			if a.Headers["allow"] != c.allow {
				t.Errorf("%s %s: Allow %q, not %q", c.method, c.path, a.Headers["allow"], c.allow)
			}
			if !strings.Contains(a.Text("error"), c.says) {
				t.Errorf("%s %s: %q does not say %q", c.method, c.path, a.Text("error"), c.says)
			}
		}
		golden(t, "error/404-route", w.Call(t.Context(), unknown("GET", "/nothing")).Body)
		golden(t, "error/404-route-slash", w.Call(t.Context(), unknown("GET", "/payments/")).Body)
		golden(t, "error/405", w.Call(t.Context(), unknown("GET", "/request-to-pay")).Body)
	})
}

// Each route's own path, asked with every other method, is 405 and names the
// route's.
func TestEveryRouteSaysItsMethods(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		for _, r := range w.API.Routes() {
			if r.Path == httpapi.DefaultRoute {
				continue
			}
			path := strings.NewReplacer("{", "", "}", "").Replace(r.Path)
			a := is(t, w.Call(t.Context(), unknown("BREW", path)), 405, "method_not_allowed")
			if !strings.Contains(", "+a.Headers["allow"]+", ", ", "+r.Method+", ") {
				t.Errorf("%s: Allow: %s", r.Key(), a.Headers["allow"])
			}
		}
	})
}

// A callback's address holds a token. The path of an unknown route is in no
// log line.
func TestUnknownPathsAreNotLogged(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		w.Call(t.Context(), unknown("POST", "/callback/reference/token-of-a-payment/"))
		w.Call(t.Context(), unknown("GET", "/callback/reference/token-of-a-payment"))
		if strings.Contains(w.Log(), "token-of-a-payment") {
			t.Error(w.Log())
		}
	})
}

var discard = slog.New(slog.DiscardHandler)

func FuzzUnknownRoute(f *testing.F) {
	for _, path := range []string{"/nothing", "/payments/", "//callback", "/status/\xff/", "", "*", "/status/%00/..", strings.Repeat("/a", 2000)} {
		f.Add("GET", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		resp, err := (&httpapi.Base{Log: discard}).UnknownRoute()(t.Context(), unknown(method, path))
		if err != nil || (resp.StatusCode != 404 && resp.StatusCode != 405) || (resp.StatusCode == 405) != (resp.Headers["allow"] != "") {
			t.Fatalf("%d %v %v", resp.StatusCode, resp.Headers, err)
		}
		var body map[string]string
		if method != "HEAD" && (json.Unmarshal([]byte(resp.Body), &body) != nil || body["code"] == "" || body["error"] == "" || !utf8.ValidString(resp.Body)) {
			t.Fatalf("%q", resp.Body)
		}
		if len(resp.Body) > 2048 {
			t.Fatalf("%d bytes", len(resp.Body))
		}
	})
}
