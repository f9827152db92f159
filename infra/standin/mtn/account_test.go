package mtn_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/mtn"
)

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func without(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Del(name) }
}

func basic(name, key string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, key) }
}

func TestProvisioningOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	const host = `{"providerCallbackHost":"clinic.example"}`
	for _, c := range []struct {
		name, method, path, body string
		change                   []func(*http.Request)
		code                     int
		want                     string
	}{
		{"wrong key", "POST", "/v1_0/apiuser", host, []func(*http.Request){header("X-Reference-Id", refA), header("Ocp-Apim-Subscription-Key", "x")}, 401, "invalid subscription key"},
		{"no key", "POST", "/v1_0/apiuser", host, []func(*http.Request){header("X-Reference-Id", refA), without("Ocp-Apim-Subscription-Key")}, 401, "missing subscription key"},
		{"no id", "POST", "/v1_0/apiuser", host, nil, 400, "UUID"},
		{"id of another version", "POST", "/v1_0/apiuser", host, []func(*http.Request){header("X-Reference-Id", "11111111-1111-1111-8111-111111111111")}, 400, "UUID"},
		{"host with a scheme", "POST", "/v1_0/apiuser", `{"providerCallbackHost":"https://clinic.example"}`, []func(*http.Request){header("X-Reference-Id", refA)}, 400, "host"},
		{"no host", "POST", "/v1_0/apiuser", `{}`, []func(*http.Request){header("X-Reference-Id", refA)}, 400, "host"},
		{"no JSON", "POST", "/v1_0/apiuser", `{`, []func(*http.Request){header("X-Reference-Id", refA)}, 400, "host"},
		{"not there yet", "GET", "/v1_0/apiuser/" + refA, "", nil, 404, `"code":"RESOURCE_NOT_FOUND"`},
		{"key of nobody", "POST", "/v1_0/apiuser/" + refA + "/apikey", "", nil, 404, `"code":"RESOURCE_NOT_FOUND"`},
		{"created", "POST", "/v1_0/apiuser", host, []func(*http.Request){header("X-Reference-Id", refA)}, 201, ""},
		{"created twice", "POST", "/v1_0/apiuser", host, []func(*http.Request){header("X-Reference-Id", refA)}, 409, `"code":"RESOURCE_ALREADY_EXIST"`},
		{"read back", "GET", "/v1_0/apiuser/" + refA, "", nil, 200, `{"providerCallbackHost":"clinic.example","targetEnvironment":"sandbox"}`},
		{"read with the wrong key", "GET", "/v1_0/apiuser/" + refA, "", []func(*http.Request){header("Ocp-Apim-Subscription-Key", "x")}, 401, "invalid"},
		{"key made", "POST", "/v1_0/apiuser/" + refA + "/apikey", "", nil, 201, `{"apiKey":"`},
		{"key by query", "POST", "/v1_0/apiuser/" + refA + "/apikey?subscription-key=" + subKey, "", []func(*http.Request){without("Ocp-Apim-Subscription-Key")}, 201, `{"apiKey":"`},
	} {
		code, body := w.do(w.request(c.method, c.path, c.body, c.change...))
		if code != c.code || !strings.Contains(body, c.want) || (c.want == "" && body != "") {
			t.Errorf("%s: %d %s, want %d %s", c.name, code, body, c.code, c.want)
		}
	}
}

// A payment through an account made over HTTP, as an SDK would.
func TestProvisionedAccountPays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	w.do(w.request("POST", "/v1_0/apiuser", `{"providerCallbackHost":"clinic.example"}`, header("X-Reference-Id", refA)))
	_, body := w.do(w.request("POST", "/v1_0/apiuser/"+refA+"/apikey", ""))
	var key struct {
		APIKey string `json:"apiKey"`
	}
	if err := json.Unmarshal([]byte(body), &key); err != nil {
		t.Fatal(err)
	}
	code, body := w.do(w.request("POST", "/collection/token/", "", basic(refA, key.APIKey)))
	var tok struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		Life   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &tok); err != nil || code != 200 || tok.Type != "access_token" || tok.Life != 3600 {
		t.Fatalf("token: %d %s", code, body)
	}
	w.token = tok.Access
	code, body = w.do(w.request("POST", "/collection/v1_0/requesttopay", strings.Replace(bodyFor("46733123999"), "SZL", "EUR", 1),
		header("X-Target-Environment", "sandbox"), header("X-Reference-Id", refB), header("X-Callback-Url", "http://clinic.example/x")))
	if code != 202 || body != "" {
		t.Fatalf("request to pay: %d %q", code, body)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	good := basic(userID, userKey)
	for _, c := range []struct {
		name, body string
		change     []func(*http.Request)
		code       int
		want       string
	}{
		{"empty body", "", []func(*http.Request){good}, 200, `"token_type":"access_token","expires_in":3600}`},
		{"JSON body", `{"grant_type":"client_credentials"}`, []func(*http.Request){good}, 200, `"access_token":"eyJ0`},
		{"form body", "grant_type=client_credentials", []func(*http.Request){good, header("Content-Type", "application/x-www-form-urlencoded")}, 200, "<title>Request Rejected</title>"},
		{"wrong key", "", []func(*http.Request){basic(userID, "nope")}, 500, `{"error":"login_failed"}`},
		{"wrong user", "", []func(*http.Request){basic(refA, userKey)}, 500, `{"error":"login_failed"}`},
		{"wrong subscription key", "", []func(*http.Request){good, header("Ocp-Apim-Subscription-Key", "nope")}, 401, "Access denied due to invalid subscription key"},
		{"no authorization", "", []func(*http.Request){without("Authorization")}, 401, "Unauthorized"},
	} {
		code, body := w.do(w.request("POST", "/collection/token/", c.body, c.change...))
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, code, body, c.code, c.want)
		}
	}
}

// A new token leaves the old one good until its own end.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		first := w.token
		time.Sleep(59 * time.Minute)
		w.login()
		second := w.token
		ask := func(token string) int {
			w.token = token
			code, _ := w.status(refA)
			return code
		}
		if a, b := ask(first), ask(second); a != 404 || b != 404 {
			t.Fatalf("both tokens should be good: %d %d", a, b)
		}
		time.Sleep(time.Minute)
		if a, b := ask(first), ask(second); a != 401 || b != 404 {
			t.Fatalf("the first token should be over, the second not: %d %d", a, b)
		}
		w.ExpireTokens()
		if b := ask(second); b != 401 {
			t.Fatalf("expired token: %d", b)
		}
	})
}

// No body and no Content-Length is 411 with a page; with Content-Length: 0
// it is fine. Only a socket shows the difference.
func TestLengthRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	for _, c := range []struct {
		path, header, body string
		code               int
	}{
		{"/collection/token/", "", "", 411},
		{"/collection/token/", "Content-Length: 0\r\n", "", 500}, // reaches the login
		{"/collection/token/", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", 500},
		{"/v1_0/apiuser/" + userID + "/apikey", "", "", 411},
		{"/v1_0/apiuser/" + userID + "/apikey", "Content-Length: 0\r\n", "", 201},
		{"/v1_0/apiuser", "", "", 411},
		{"/collection/v1_0/requesttopay", "", "", 411},
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOcp-Apim-Subscription-Key: %s\r\nAuthorization: Basic eDp5\r\n%s\r\n%s", c.path, subKey, c.header, c.body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != c.code {
			t.Errorf("%s with %q: %d %s, want %d", c.path, c.header, resp.StatusCode, page, c.code)
		}
		if c.code == 411 && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: 411 is %s, want a page", c.path, resp.Header.Get("Content-Type"))
		}
		conn.Close()
	}
}

func TestProvisionRefuses(t *testing.T) {
	t.Parallel()
	s := mtn.New(mtn.Options{})
	for _, a := range []mtn.Account{
		{APIUser: "me"}, {TargetEnvironment: "mtnatlantis"}, {CallbackHost: "https://x.example"}, {CallbackHost: "x.example:80"},
	} {
		if _, err := s.Provision(a); !errors.Is(err, mtn.ErrAccount) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	a, err := s.Provision(mtn.Account{})
	if err != nil || a.TargetEnvironment != "sandbox" || a.Currency != "EUR" || a.APIKey == "" || a.SubscriptionKey == "" {
		t.Errorf("defaults: %+v, %v", a, err)
	}
}

// Every documented environment takes its own currency and no other.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	for env, currency := range map[string]string{
		"sandbox": "EUR", "mtnswaziland": "SZL", "mtnuganda": "UGX", "mtnghana": "GHS", "mtnivorycoast": "XOF",
		"mtnzambia": "ZMW", "mtncameroon": "XAF", "mtnbenin": "XOF", "mtncongo": "XAF", "mtnguineaconakry": "GNF",
		"mtnsouthafrica": "ZAR", "mtnliberia": "LRD", "mtnrwanda": "RWF", "mtnnigeria": "NGN", "mtnsouthsudan": "SSP",
	} {
		w := newWorld(t, mtn.Options{})
		if _, err := w.Provision(mtn.Account{APIUser: userID, APIKey: userKey, SubscriptionKey: subKey, TargetEnvironment: env}); err != nil {
			t.Fatal(err)
		}
		w.login()
		ask := func(reference, currency, env string) (int, string) {
			body := fmt.Sprintf(`{"amount":"100","currency":%q,"externalId":"1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"}}`, currency)
			return w.do(w.request("POST", "/collection/v1_0/requesttopay", body, header("X-Reference-Id", reference), header("X-Target-Environment", env)))
		}
		if code, body := ask(refA, currency, env); code != 202 {
			t.Errorf("%s with %s: %d %s", env, currency, code, body)
		}
		if code, body := ask(refB, "USD", env); code != 500 || !strings.Contains(body, `"code":"INVALID_CURRENCY"`) {
			t.Errorf("%s with USD: %d %s", env, code, body)
		}
		if code, body := ask(refB, currency, "mtnelsewhere"); code != 500 || !strings.Contains(body, `"code":"NOT_ALLOWED_TARGET_ENVIRONMENT"`) {
			t.Errorf("%s elsewhere: %d %s", env, code, body)
		}
	}
}

// The sandbox environment can be told to take Eswatini's currency.
func TestCurrencyOverride(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	if _, err := w.Provision(mtn.Account{APIUser: userID, APIKey: userKey, SubscriptionKey: subKey, Currency: "SZL"}); err != nil {
		t.Fatal(err)
	}
	w.login()
	code, body := w.do(w.request("POST", "/collection/v1_0/requesttopay", bodyFor("26876123456"),
		header("X-Reference-Id", refA), header("X-Target-Environment", "sandbox")))
	if code != 202 {
		t.Errorf("%d %s", code, body)
	}
}
