package cloud

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

var routes = []Route{
	{"GET", "/status/{referenceId}", "status"},
	{"GET", "/status/mine", "mine"},
	{"POST", "/callback", "callback"},
	{"POST", "/callback/{referenceId}/{token}", "callback"},
}

// exchange sends one request through a Gateway and returns its answer and
// the event that the function got (nil: none was called).
func exchange(t *testing.T, r *http.Request, invoke Invoke) (*http.Response, string, *events.APIGatewayV2HTTPRequest) {
	t.Helper()
	var got *events.APIGatewayV2HTTPRequest
	recorder := httptest.NewRecorder()
	Gateway(routes, func(ctx context.Context, route Route, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the function has no deadline")
		}
		got = &event
		if invoke != nil {
			return invoke(ctx, route, event)
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: route.Function}, nil
	}).ServeHTTP(recorder, r)
	resp := recorder.Result()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body), got
}

func TestRoutesMatchAsSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, target string
		function       string // empty: API Gateway's own 404
		parameters     map[string]string
	}{
		{"GET", "/status/abc", "status", map[string]string{"referenceId": "abc"}},
		{"GET", "/status/a%20b", "status", map[string]string{"referenceId": "a b"}},
		{"GET", "/status/mine", "mine", nil},
		{"POST", "/callback", "callback", nil},
		{"POST", "/callback/r/t?x=1", "callback", map[string]string{"referenceId": "r", "token": "t"}},
		{"PUT", "/callback", "", nil},
		{"HEAD", "/status/abc", "", nil},
		{"GET", "/status/", "", nil},
		{"GET", "/status", "", nil},
		{"GET", "//status/abc", "", nil},
		{"GET", "/status/abc/", "", nil},
		{"POST", "/callback/r", "", nil},
		{"GET", "/", "", nil},
	} {
		resp, body, event := exchange(t, httptest.NewRequest(c.method, c.target, nil), nil)
		if c.function == "" {
			if resp.StatusCode != 404 || body != `{"message":"Not Found"}` || event != nil || resp.Header.Get("content-type") != "application/json" {
				t.Errorf("%s %s: %d %s", c.method, c.target, resp.StatusCode, body)
			}
			continue
		}
		if resp.StatusCode != 200 || body != c.function {
			t.Errorf("%s %s: %d %s", c.method, c.target, resp.StatusCode, body)
		} else if diff := cmp.Diff(c.parameters, event.PathParameters); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.method, c.target, diff)
		}
	}
}

func TestDefaultRoute(t *testing.T) {
	t.Parallel()
	withDefault := append([]Route{{"", Default, "rest"}}, routes...)
	for _, c := range []struct{ method, target, function, key string }{
		{"GET", "/status/abc", "status", "GET /status/{referenceId}"},
		{"GET", "/status/mine", "mine", "GET /status/mine"},
		{"HEAD", "/status/abc", "rest", "$default"},
		{"GET", "/status/abc/", "rest", "$default"},
		{"BREW", "/", "rest", "$default"},
	} {
		recorder := httptest.NewRecorder()
		var got events.APIGatewayV2HTTPRequest
		Gateway(withDefault, func(_ context.Context, route Route, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			got = event
			return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: route.Function}, nil
		}).ServeHTTP(recorder, httptest.NewRequest(c.method, c.target, nil))
		if body := recorder.Body.String(); body != c.function || got.RouteKey != c.key || got.RequestContext.RouteKey != c.key ||
			got.RawPath != c.target || got.RequestContext.HTTP.Method != c.method || (c.key == Default && got.PathParameters != nil) {
			t.Errorf("%s %s: %s got %+v", c.method, c.target, body, got)
		}
	}
}

// Each request has an id of its own, in its event and on its answer, also
// where no function is asked.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"": true}
	for range 100 {
		resp, _, event := exchange(t, httptest.NewRequest("GET", "/status/abc", nil), nil)
		id := resp.Header.Get("apigw-requestid")
		if seen[id] || event.RequestContext.RequestID != id {
			t.Fatalf("id %q, of the event %q", id, event.RequestContext.RequestID)
		}
		seen[id] = true
	}
	for _, r := range []*http.Request{httptest.NewRequest("GET", "/nothing", nil), httptest.NewRequest("POST", "/callback", brokenReader{})} {
		if resp, _, _ := exchange(t, r, nil); seen[resp.Header.Get("apigw-requestid")] {
			t.Errorf("%s: no id of its own: %v", r.URL, resp.Header)
		}
	}
}

func TestEvent(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "http://pay.example:8080/callback/r/t?a=1&b=2&a=3", strings.NewReader(`{"x":"é"}`))
	r.Header.Add("X-Many", "one")
	r.Header.Add("X-Many", "two, three")
	r.Header.Set("X-PROXY-API-KEY", "key")
	r.Header.Set("User-Agent", "curl/8")
	r.Header.Set("Cookie", "a=1; b=2")
	r.RemoteAddr = "[2001:db8::1]:443"
	_, _, event := exchange(t, r, nil)
	if event == nil {
		t.Fatal("no event")
	}
	if event.RequestContext.RequestID == "" || event.RequestContext.TimeEpoch == 0 || event.RequestContext.Time == "" {
		t.Errorf("request context %+v", event.RequestContext)
	}
	event.RequestContext.RequestID, event.RequestContext.Time, event.RequestContext.TimeEpoch = "", "", 0
	const key = "POST /callback/{referenceId}/{token}"
	want := &events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: "/callback/r/t", RawQueryString: "a=1&b=2&a=3",
		Cookies: []string{"a=1", "b=2"},
		Headers: map[string]string{
			"host": "pay.example:8080", "x-many": "one,two, three", "x-proxy-api-key": "key", "user-agent": "curl/8",
		},
		QueryStringParameters: map[string]string{"a": "1,3", "b": "2"},
		PathParameters:        map[string]string{"referenceId": "r", "token": "t"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: key, Stage: "$default",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/callback/r/t", Protocol: "HTTP/1.1", SourceIP: "2001:db8::1", UserAgent: "curl/8",
			},
		},
		Body: `{"x":"é"}`,
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	post := func(body io.Reader) *http.Request { return httptest.NewRequest("POST", "/callback", body) }
	for _, body := range []string{"\xff\xfe", "{\"x\":\"\xe9\"}", "a\x80b"} {
		_, _, event := exchange(t, post(strings.NewReader(body)), nil)
		decoded, err := base64.StdEncoding.DecodeString(event.Body)
		if !event.IsBase64Encoded || err != nil || string(decoded) != body {
			t.Errorf("%q became %q (base64: %v)", body, event.Body, event.IsBase64Encoded)
		}
	}
	for _, body := range []string{"", "{}", "a\x00b", strings.Repeat("x", 1<<20)} {
		_, _, event := exchange(t, post(strings.NewReader(body)), nil)
		if event.IsBase64Encoded || event.Body != body {
			t.Errorf("%.20q became %.20q (base64: %v)", body, event.Body, event.IsBase64Encoded)
		}
	}

	largest := strings.Repeat("x", MaxBody)
	if resp, _, event := exchange(t, post(strings.NewReader(largest)), nil); resp.StatusCode != 200 || len(event.Body) != MaxBody {
		t.Errorf("a body of %d bytes: %d", MaxBody, resp.StatusCode)
	}
	if resp, body, event := exchange(t, post(strings.NewReader(largest+"x")), nil); resp.StatusCode != 413 || event != nil {
		t.Errorf("a body over the limit: %d %s", resp.StatusCode, body)
	}
	if resp, body, event := exchange(t, post(brokenReader{}), nil); resp.StatusCode != 400 || event != nil {
		t.Errorf("a body that breaks off: %d %s", resp.StatusCode, body)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer events.APIGatewayV2HTTPResponse
		err    error
		code   int
		body   string
	}{
		{"as it is", events.APIGatewayV2HTTPResponse{StatusCode: 202, Headers: map[string]string{"x-a": "b"}, Body: "é"}, nil, 202, "é"},
		{"base64", events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "/v8=", IsBase64Encoded: true}, nil, 200, "\xfe\xff"},
		{"bad base64", events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "?", IsBase64Encoded: true}, nil, 500, `{"message":"Internal Server Error"}`},
		{"error", events.APIGatewayV2HTTPResponse{}, errors.New("of the function"), 500, `{"message":"Internal Server Error"}`},
	} {
		resp, body, _ := exchange(t, httptest.NewRequest("POST", "/callback", nil),
			func(context.Context, Route, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
				return c.answer, c.err
			})
		if resp.StatusCode != c.code || body != c.body || resp.Header.Get("x-a") != c.answer.Headers["x-a"] {
			t.Errorf("%s: %d %q %v", c.name, resp.StatusCode, body, resp.Header)
		}
	}
}

// A client that hangs up does not stop the function, as with Lambda.
func TestFunctionOutlivesItsClient(t *testing.T) {
	t.Parallel()
	ctx, hangUp := context.WithCancel(t.Context())
	exchange(t, httptest.NewRequest("POST", "/callback", nil).WithContext(ctx),
		func(ctx context.Context, _ Route, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			hangUp()
			return events.APIGatewayV2HTTPResponse{StatusCode: 200}, ctx.Err()
		})
	if ctx.Err() == nil {
		t.Fatal("the function was not called")
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("/callback/r/t", "a=1&a=2&%zz", []byte("{}"), "v")
	f.Add("/status/\x00", "=&=", []byte("\xff"), "")
	f.Fuzz(func(t *testing.T, path, query string, body []byte, header string) {
		r := httptest.NewRequest("POST", "/callback", strings.NewReader(string(body)))
		r.URL.Path, r.URL.RawQuery = path, query
		r.Header["X-Given"] = []string{header, header}
		event, err := Event(r, routes[2], nil, "id")
		if err != nil {
			t.Fatal(err)
		}
		got := []byte(event.Body)
		if event.IsBase64Encoded {
			if got, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != string(body) || event.Headers["x-given"] != header+","+header {
			t.Fatalf("%+v", event)
		}
		match(routes, "POST", path)
	})
}
