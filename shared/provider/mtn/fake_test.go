package mtn_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/provider/providertest"
)

const (
	apiUser         = "6f0c1a52-4a4e-4b8f-9a77-2f4e2f3a9c10"
	apiKey          = "0123456789abcdef0123456789abcdef"
	subscriptionKey = "fedcba9876543210fedcba9876543210"
	callbackToken   = "wq3nJ0yT7l1KpZ5uVb8cXg"
	callbackURL     = "https://pay.example.com/callback/ref/" + callbackToken
)

// answer is one scripted answer to an API call. It gets what the fake would
// have said.
type answer func(w http.ResponseWriter, r *http.Request, act func())

// fake is MTN Collections as far as the tests need it, with a script.
type fake struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	script   []answer // one per API call, the last stays; nil: works
	token    string   // the one good token
	tokens   int      // token calls answered
	onToken  func(w http.ResponseWriter, r *http.Request) bool
	calls    []*http.Request // API calls
	bodies   []string
	payments map[string]*fakePayment
	down     bool
}

type fakePayment struct {
	body          map[string]any
	charges       int
	status        string
	reason        any
	transactionID any
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, payments: map[string]*fakePayment{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

// stop takes no connections any more.
func (f *fake) stop() {
	f.mu.Lock()
	f.down = true
	f.mu.Unlock()
	f.CloseClientConnections()
	providertest.Refuse(f.t, f.Listener)
}

func (f *fake) then(answers ...answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = answers
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/collection/token/" {
		f.serveToken(w, r, body)
		return
	}
	f.mu.Lock()
	f.calls = append(f.calls, r)
	f.bodies = append(f.bodies, string(body))
	var a answer
	if len(f.script) > 0 {
		a = f.script[0]
		if len(f.script) > 1 {
			f.script = f.script[1:]
		}
	}
	good := f.token != "" && r.Header.Get("Authorization") == "Bearer "+f.token
	f.mu.Unlock()
	if a == nil {
		a = works
	}
	if !good || r.Header.Get("Ocp-Apim-Subscription-Key") != subscriptionKey {
		reply(w, 401, `{"statusCode":401,"message":"Unauthorized. Access token is missing, invalid or expired."}`)
		return
	}
	recorder := httptest.NewRecorder()
	acted := false
	act := func() {
		if !acted {
			acted = true
			f.act(recorder, r, body)
		}
	}
	a(&lazy{ResponseWriter: w, truth: func() *httptest.ResponseRecorder { act(); return recorder }}, r, act)
}

// lazy lets an answer pass on what the fake would have said.
type lazy struct {
	http.ResponseWriter
	truth func() *httptest.ResponseRecorder
}

func (l *lazy) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (f *fake) serveToken(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	hook := f.onToken
	f.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	user, key, _ := r.BasicAuth()
	switch {
	case r.Header.Get("Content-Length") != "0" || len(body) > 0:
		reply(w, 411, "<html>Length Required</html>")
	case r.Header.Get("Ocp-Apim-Subscription-Key") != subscriptionKey:
		reply(w, 401, `{"statusCode":401,"message":"Access denied due to invalid subscription key."}`)
	case user != apiUser || key != apiKey:
		reply(w, 500, `{"error":"login_failed"}`)
	default:
		f.tokens++
		f.token = fmt.Sprintf("secret-token-%d.%s", f.tokens, strings.Repeat("x", 20))
		reply(w, 200, fmt.Sprintf(`{"access_token":%q,"token_type":"access_token","expires_in":3600}`, f.token))
	}
}

// act does what was asked for and writes the true answer.
func (f *fake) act(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, ok := strings.CutPrefix(r.URL.Path, "/collection/v1_0/requesttopay/"); ok && r.Method == http.MethodGet {
		p, known := f.payments[id]
		if !known {
			reply(w, 404, `{"message":"Requested resource was not found.","code":"RESOURCE_NOT_FOUND"}`)
			return
		}
		out := map[string]any{"status": p.status}
		for k, v := range p.body {
			out[k] = v
		}
		if p.reason != nil {
			out["reason"] = p.reason
		}
		if p.transactionID != nil {
			out["financialTransactionId"] = p.transactionID
		}
		text, _ := json.Marshal(out)
		reply(w, 200, string(text))
		return
	}
	if r.URL.Path != "/collection/v1_0/requesttopay" || r.Method != http.MethodPost {
		reply(w, 404, `{"statusCode":404,"message":"Resource not found"}`)
		return
	}
	id := r.Header.Get("X-Reference-Id")
	if f.payments[id] != nil {
		reply(w, 409, `{"message":"Duplicated reference id. Creation of resource failed.","code":"RESOURCE_ALREADY_EXIST"}`)
		return
	}
	p := &fakePayment{status: "PENDING", charges: 1}
	if err := json.Unmarshal(body, &p.body); err != nil {
		reply(w, 400, "")
		return
	}
	f.payments[id] = p
	w.WriteHeader(202)
}

func (f *fake) set(reference, status string, reason, transactionID any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.payments[reference]; p != nil {
		p.status, p.reason, p.transactionID = status, reason, transactionID
	}
}

func (f *fake) charges(reference string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.payments[reference]; p != nil {
		return p.charges
	}
	return 0
}

// seen returns the API calls and the number of token calls so far.
func (f *fake) seen() (calls []*http.Request, bodies []string, tokens int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls, f.bodies, f.tokens
}

func reply(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

// Answers.

func works(w http.ResponseWriter, _ *http.Request, _ func()) {
	truth := w.(*lazy).truth()
	w.WriteHeader(truth.Code)
	_, _ = w.Write(truth.Body.Bytes())
}

func says(code int, body string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) { reply(w, code, body) }
}

func saysAfter(code int, body string) answer {
	return func(w http.ResponseWriter, _ *http.Request, act func()) { act(); reply(w, code, body) }
}

func reset(acts bool) answer {
	return func(w http.ResponseWriter, _ *http.Request, act func()) {
		if acts {
			act()
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
}

func hang(acts bool) answer {
	return func(_ http.ResponseWriter, r *http.Request, act func()) {
		if acts {
			act()
		}
		<-r.Context().Done()
	}
}

// truncated announces more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request, _ func()) {
	truth := w.(*lazy).truth()
	w.Header().Set("Content-Length", fmt.Sprint(truth.Body.Len()+50))
	w.WriteHeader(truth.Code)
	_, _ = w.Write(truth.Body.Bytes())
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func endless(w http.ResponseWriter, r *http.Request, _ func()) {
	w.WriteHeader(200)
	_, _ = io.WriteString(w, `{"status":"SUCCESSFUL","filler":"`)
	filler := strings.Repeat("x", 64<<10)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, filler); err != nil {
			return
		}
	}
}

func echo(w http.ResponseWriter, r *http.Request, _ func()) {
	all := ""
	for name, values := range r.Header {
		all += name + ": " + strings.Join(values, ", ") + " "
	}
	body, _ := json.Marshal(map[string]string{"code": "NOT_ALLOWED", "message": all})
	reply(w, 500, string(body))
}

// bends changes the status answer.
func bends(change func(map[string]any)) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) {
		truth := w.(*lazy).truth()
		var body map[string]any
		if err := json.Unmarshal(truth.Body.Bytes(), &body); err != nil {
			panic(err)
		}
		change(body)
		text, _ := json.Marshal(body)
		reply(w, truth.Code, string(text))
	}
}

// What tests build on.

func config(base string) mtn.Config {
	return mtn.Config{
		BaseURL:           base,
		TargetEnvironment: mtn.Sandbox,
		APIUser:           apiUser,
		APIKey:            apiKey,
		SubscriptionKey:   subscriptionKey,
		Currency:          "SZL",
	}
}

func newProvider(t *testing.T, f *fake, store provider.TokenStore, options ...mtn.Option) *mtn.Provider {
	t.Helper()
	return newProviderWith(t, config(f.URL), store, nil, time.Now, options...)
}

func newProviderWith(t *testing.T, cfg mtn.Config, store provider.TokenStore, client *http.Client, now func() time.Time, options ...mtn.Option) *mtn.Provider {
	t.Helper()
	if store == nil {
		store = providertest.NewMemoryTokens(now)
	}
	if client == nil {
		client = mtn.NewHTTPClient()
		t.Cleanup(client.CloseIdleConnections)
	}
	options = append([]mtn.Option{mtn.WithBackoff(func(int) time.Duration { return 0 })}, options...)
	p, err := mtn.New(cfg, store, client, now, options...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newPayment() payment.Payment {
	return payment.Payment{
		Reference:    uuid.NewString(),
		ClientID:     "app",
		ExternalID:   "ORDER-1",
		Provider:     mtn.Name,
		Amount:       payment.Money{Minor: 15050, Currency: "SZL"},
		Payer:        "26876123456",
		PayerMessage: "Order 1",
		PayeeNote:    "shop",
		CreatedAt:    time.Now(),
	}
}
