package mtn_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

const (
	base      = "http://mtn.example"
	userID    = "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
	userKey   = "0123456789abcdef0123456789abcdef"
	subKey    = "fedcba9876543210fedcba9876543210"
	refA      = "11111111-1111-4111-8111-111111111111"
	refB      = "22222222-2222-4222-9222-222222222222"
	appHost   = "gateway.example"
	callbacks = "https://gateway.example/cb/secret"
)

// world is a sandbox with one Eswatini account, asked in process.
type world struct {
	*mtn.Standin
	t     testing.TB
	token string
	inbox *inbox
}

// inbox keeps the callbacks that arrive and answers them code.
type inbox struct {
	mu   sync.Mutex
	code int
	got  []received
}

type received struct {
	At     time.Time
	Method string
	URL    string
	Agent  string
	Type   string
	Body   string
}

func (b *inbox) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, received{time.Now(), r.Method, r.URL.String(), r.UserAgent(), r.Header.Get("Content-Type"), string(body)})
	code := b.code
	if code == 0 {
		code = 200
	}
	return &http.Response{StatusCode: code, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

func (b *inbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]received(nil), b.got...)
}

func newWorld(t testing.TB, o mtn.Options) *world {
	t.Helper()
	in := &inbox{}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: in}
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	s := mtn.New(o)
	_, err := s.Provision(mtn.Account{
		APIUser: userID, APIKey: userKey, SubscriptionKey: subKey,
		TargetEnvironment: "mtnswaziland", CallbackHost: appHost,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Standin: s, t: t, inbox: in}
	w.login()
	return w
}

// login fetches a token.
func (w *world) login() {
	w.t.Helper()
	code, body := w.do(w.request("POST", "/collection/token/", "", func(r *http.Request) { r.SetBasicAuth(userID, userKey) }))
	var tok struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &tok); err != nil || code != 200 {
		w.t.Fatalf("token: %d %s", code, body)
	}
	w.token = tok.Access
}

// request makes a request with the headers of a correct client.
func (w *world) request(method, path, body string, change ...func(*http.Request)) *http.Request {
	w.t.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, base+path, rd)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Ocp-Apim-Subscription-Key", subKey)
	r.Header.Set("X-Target-Environment", "mtnswaziland")
	r.Header.Set("Authorization", "Bearer "+w.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// do sends a request in process.
func (w *world) do(r *http.Request) (int, string) {
	w.t.Helper()
	resp, err := w.RoundTripper().RoundTrip(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: body: %v", r.Method, r.URL.Path, err)
	}
	return resp.StatusCode, string(b)
}

func bodyFor(payer string) string {
	return fmt.Sprintf(`{"amount":"150.00","currency":"SZL","externalId":"ORDER-1",`+
		`"payer":{"partyIdType":"MSISDN","partyId":%q},"payerMessage":"for coffee","payeeNote":"till 4"}`, payer)
}

// pay asks a payer; the answer may be an error.
func (w *world) pay(ctx context.Context, reference, payer string) (int, error) {
	w.t.Helper()
	r := w.request("POST", "/collection/v1_0/requesttopay", bodyFor(payer), func(r *http.Request) {
		r.Header.Set("X-Reference-Id", reference)
		r.Header.Set("X-Callback-Url", callbacks)
	})
	resp, err := w.RoundTripper().RoundTrip(r.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

// mustPay asks a payer and expects 202.
func (w *world) mustPay(reference, payer string) {
	w.t.Helper()
	if code, err := w.pay(context.Background(), reference, payer); code != 202 || err != nil {
		w.t.Fatalf("request to pay: %d, %v", code, err)
	}
}

// status asks for a payment's state.
func (w *world) status(reference string) (int, string) {
	w.t.Helper()
	return w.do(w.request("GET", "/collection/v1_0/requesttopay/"+reference, ""))
}

// entry is the truth about a payment.
func (w *world) entry(reference string) core.Entry {
	w.t.Helper()
	e, ok := w.Payment(reference)
	if !ok {
		w.t.Fatalf("no payment %s", reference)
	}
	return e
}
