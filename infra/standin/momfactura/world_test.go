package momfactura_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	stand "momoproxy/infra/standin/momfactura"
)

// world is a stand-in with an inbox for its webhooks, all in process.
type world struct {
	*stand.Standin
	t     *testing.T
	mu    sync.Mutex
	inbox []string // "event status merchantTransactionId invoiceUrl"
	raw   []string
}

func newWorld(t *testing.T, o stand.Options) *world {
	t.Helper()
	w := &world{t: t}
	o.HTTPClient = &http.Client{Transport: w}
	o.CallbackURL = "http://app.test/webhooks/mom-factura/token"
	if o.Seed == 0 {
		o.Seed = 1
	}
	w.Standin = stand.New(o)
	t.Cleanup(w.Close)
	return w
}

// RoundTrip is the inbox.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/webhooks/mom-factura/token" {
		w.t.Errorf("webhook %s %s %s: %v", r.Method, r.URL, body, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inbox = append(w.inbox, fmt.Sprint(m["event"], " ", m["operationStatus"]))
	w.raw = append(w.raw, string(body))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func (w *world) arrived() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.inbox...)
}

// do sends a request with the right key.
func (w *world) do(method, path, body string, headers ...string) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("x-api-key", stand.DefaultAPIKey)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.RoundTripper().RoundTrip(r)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, map[string]any{"error": err.Error()}
	}
	var m map[string]any
	if json.Unmarshal(text, &m) != nil {
		m = map[string]any{"text": string(text)}
	}
	return resp.StatusCode, m
}

// reference makes a reference payment and returns its operation id.
func (w *world) reference(amount string) string {
	w.t.Helper()
	code, m := w.do("POST", "/api/payment/reference", `{"paymentInfo":{"amount":`+amount+`},"instantWithdraw":true}`)
	if code != 200 {
		w.t.Fatalf("%d %v", code, m)
	}
	id, _ := m["operationId"].(string)
	return id
}

// status is the word and the invoice of a reference.
func (w *world) status(id string) string {
	w.t.Helper()
	code, m := w.do("GET", "/api/payment/reference/status/"+id, "")
	nested, _ := m["payment"].(map[string]any)
	if code != 200 || nested == nil {
		return fmt.Sprint(code, m)
	}
	if m["invoiceUrl"] != nil {
		return fmt.Sprint(nested["status"], " invoiced")
	}
	return fmt.Sprint(nested["status"])
}

// violations are the counts of those of each limit that was broken.
type violations map[string]int

func (w *world) violations() violations {
	v := violations{}
	for name, l := range w.Counters().Limits {
		if l.Violations > 0 {
			v[name] = l.Violations
		}
	}
	return v
}
