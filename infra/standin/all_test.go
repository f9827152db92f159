package standin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
)

// inbox answers callbacks, and counts them.
type inbox struct {
	mu   sync.Mutex
	code int
	got  int
}

func (b *inbox) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got++
	return &http.Response{StatusCode: b.code, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}

// each runs f for every stand-in, made in a bubble of synctest.
func each(t *testing.T, f func(t *testing.T, kind standin.Kind, in *inbox)) {
	for _, kind := range standin.All() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, kind, &inbox{code: 200}) })
		})
	}
}

func start(t *testing.T, kind standin.Kind, in *inbox, o core.Options) standin.Standin {
	t.Helper()
	o.HTTPClient, o.Seed = &http.Client{Transport: in}, 1
	s, err := kind.Start(o, "https://pay.example.com")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// send sends one request in process.
func send(t *testing.T, s standin.Standin, method, path, body string, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	r.RequestURI = ""
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// pay asks for the n-th payment, as each provider wants to be asked. Its payer
// approves after a second.
func pay(t *testing.T, s standin.Standin, n int) int {
	t.Helper()
	v := s.Variables("")
	reference := fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)
	code := 0
	switch s.Provider() {
	case "mtn":
		key := []string{"Ocp-Apim-Subscription-Key", v["MTN_SUBSCRIPTION_KEY"], "X-Target-Environment", v["MTN_TARGET_ENV"], "Content-Type", "application/json"}
		r := httptest.NewRequest("POST", "/", nil)
		r.SetBasicAuth(v["MTN_API_USER"], v["MTN_API_KEY"])
		_, token := send(t, s, "POST", "/collection/token/", "", append(key, "Authorization", r.Header.Get("Authorization"), "Content-Length", "0")...)
		var answer struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(token), &answer); err != nil {
			t.Fatal(token)
		}
		code, _ = send(t, s, "POST", "/collection/v1_0/requesttopay",
			`{"amount":"10","currency":"SZL","externalId":"1","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"payerMessage":"m","payeeNote":"n"}`,
			append(key, "Authorization", "Bearer "+answer.Token, "X-Reference-Id", reference, "X-Callback-Url", "https://pay.example.com/callback")...)
	case "mom-factura":
		code, _ = send(t, s, "POST", "/api/payment/reference", fmt.Sprintf(`{"paymentInfo":{"amount":%d.00},"instantWithdraw":true}`, 100+n), "x-api-key", v["MOMFACTURA_API_KEY"])
	case "momentpay":
		code, _ = send(t, s, "POST", "/collect/payment_request", fmt.Sprintf(`{"amount":1000,"currency":"ZAR","external_reference":%q}`, reference),
			"Authorization", "Bearer "+v["MOMENTPAY_SECRET_KEY"], "Idempotency-Key", reference)
	}
	return code
}

// mustPay is the payment that was asked for.
func mustPay(t *testing.T, s standin.Standin, n int) core.Entry {
	t.Helper()
	if code := pay(t, s, n); code/100 != 2 {
		t.Fatalf("%d", code)
	}
	all := s.Ledger()
	return all[len(all)-1]
}

// The control API is the same for every provider.
func TestControl(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, kind standin.Kind, in *inbox) {
		s := start(t, kind, in, core.Options{})
		id := mustPay(t, s, 1).Reference
		for _, c := range []struct {
			call, body string
			code       int
			want       string
		}{
			{"GET payments", "", 200, `"reference":"` + id + `"`},
			{"GET payments/" + id, "", 200, `"accepted":1`},
			{"GET payments/nobody", "", 404, "no such payment"},
			{"GET charges", "", 200, "[]"},
			{"GET payouts", "", 200, "[]"},
			{"GET counters", "", 200, `"requests":{`},
			{"GET scripts", "", 200, `"name":"`},
			{"GET faults", "", 200, `"name":"timeout_after"`},
			{"GET rules", "", 200, "[]"},
			{"POST rules", `{"fault":"error503_before","match":{"amount":"7"},"times":2}`, 201, `"times":2`},
			{"GET rules", "", 200, `"match":{"amount":"7"}`},
			{"POST rules", `{"fault":"boom"}`, 422, "boom"},
			{"POST rules", `{"outcome":"boom"}`, 422, "boom"},
			{"POST rules", `{"falt":"x"}`, 400, "falt"},
			{"POST rules", `"` + strings.Repeat("x", 1<<17) + `"`, 413, "too long"},
			{"DELETE rules", "", 204, ""},
			{"GET rules", "", 200, "[]"},
			{"POST payments/" + id + "/callback", `{"status":"approve","forged":"` + s.Forgeries()[0] + `"}`, 200, `"code":200`},
			{"POST payments/" + id + "/callback", `{"forged":"odd"}`, 422, "forgery"},
			{"POST payments/" + id + "/callback", `{"kind":"odd"}`, 422, "kind"},
			{"POST payments/nobody/callback", "", 404, "no such payment"},
			{"POST payments/" + id + "/outcome", `{}`, 422, "outcome"},
			{"POST payments/" + id + "/outcome", `{"outcome":"expire","callback":false}`, 200, `"ended":true`},
			{"POST payments/" + id + "/outcome", `{"outcome":"approve"}`, 200, `"charges":1`},
			{"POST payments/" + id + "/outcome", `{"outcome":"decline"}`, 409, "moved"},
			{"POST payments/nobody/outcome", `{"outcome":"decline"}`, 404, "no such payment"},
			{"GET charges", "", 200, `"reference":"` + id + `"`},
			{"POST payments/" + id + "/forget", "", 200, id},
			{"POST payments/" + id + "/explode", "", 404, "no such call"},
			{"POST reset", "", 204, ""},
			{"GET payments", "", 200, "[]"},
			{"GET nothing", "", 404, "no such call"},
			{"GET a/b/c/d", "", 404, "no such call"},
		} {
			method, path, _ := strings.Cut(c.call, " ")
			code, text := send(t, s, method, "/_standin/"+path, c.body)
			if code != c.code || !strings.Contains(text, c.want) || code != 204 && !json.Valid([]byte(text)) {
				t.Errorf("%s %.50s: %d %.200s, want %d %s", c.call, c.body, code, text, c.code, c.want)
			}
		}
		if code, _ := send(t, s, "POST", "/_standin/expire-tokens", ""); code != map[bool]int{true: 204, false: 404}[kind.Name == "mtn"] {
			t.Errorf("expire-tokens: %d", code)
		}
		if code, _ := send(t, s, "GET", "/_standin/payments", "", "Origin", "https://evil.example"); code != 403 {
			t.Errorf("from a page in a browser: %d", code)
		}
	})
}

// Rules for every provider: a fault for one amount, an outcome for the next
// payment, a late answer.
func TestRules(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, kind standin.Kind, in *inbox) {
		s := start(t, kind, in, core.Options{})
		for _, r := range []core.Rule{
			{Fault: core.Error503Before, Match: core.Match{Amount: "no payment's"}},
			{Outcome: core.Decline, Times: 1},
			{Route: core.RouteCallback, Fault: core.Lost, Times: 1},
		} {
			if err := s.AddRule(r); err != nil {
				t.Fatal(err)
			}
		}
		declined := mustPay(t, s, 1).Reference
		time.Sleep(time.Minute)
		paid := mustPay(t, s, 2).Reference
		time.Sleep(time.Minute)
		a, _ := s.Payment(declined)
		b, _ := s.Payment(paid)
		if a.Charges != 0 || !a.Ended || b.Charges != 1 || len(s.Charges()) != 1 || s.Charges()[0].Reference != paid {
			t.Errorf("declined %+v\npaid %+v\ncharges %+v", a, b, s.Charges())
		}
		if err := s.AddRule(core.Rule{Fault: core.Error503Before, DelayMs: 5000, Times: 1}); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if code := pay(t, s, 3); s.Provider() != "mtn" && code != 503 || time.Since(before) != 5*time.Second {
			t.Errorf("%d after %s", code, time.Since(before))
		}
	})
}

// What a provider knows outlives its process: the payments, what is still to
// become of them, and the callbacks that nobody has taken.
func TestKeep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, kind standin.Kind, in *inbox) {
		file := filepath.Join(t.TempDir(), "payments")
		report := func(err error) { t.Error(err) }
		in.code = 503
		times := kind.Times
		times.Approve = time.Hour
		o := core.Options{Times: times, CallbackRetries: []time.Duration{24 * time.Hour}}
		first := start(t, kind, in, o)
		if err := first.Keep(file, report); err != nil {
			t.Fatal(err)
		}
		open := mustPay(t, first, 1).Reference
		ended := mustPay(t, first, 2).Reference
		if err := first.SetOutcome(ended, core.Approve, "", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // the callback of the second has been refused
		first.Close()
		tail, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tail.WriteString(`{"id":"half a li`); err != nil {
			t.Fatal(err)
		}
		tail.Close()

		tried := in.count()
		second := start(t, kind, in, o)
		if err := second.Keep(file, report); err != nil {
			t.Fatal(err)
		}
		if e, _ := second.Payment(open); e.Accepted != 1 || e.Charges != 0 || e.Ended {
			t.Errorf("open: %+v", e)
		}
		if e, _ := second.Payment(ended); e.Accepted != 1 || e.Charges != 1 || len(e.Callbacks) == 0 {
			t.Errorf("ended: %+v", e)
		}
		// A repeated request gets the answer of the first.
		if code := pay(t, second, 1); code != map[string]int{"mtn": 409, "mom-factura": 200, "momentpay": 201}[kind.Name] {
			t.Errorf("asked for again: %d", code)
		}
		if e, _ := second.Payment(open); e.Accepted != 1 {
			t.Errorf("made %d times", e.Accepted)
		}
		time.Sleep(48 * time.Hour)
		if e, _ := second.Payment(open); e.Charges != 1 {
			t.Errorf("the script did not go on: %+v", e)
		}
		if in.count() < tried+2 {
			t.Errorf("%d callbacks, then %d", tried, in.count())
		}
		second.Reset()
		second.Close()
		if text, err := os.ReadFile(file); err != nil || len(text) > 0 {
			t.Errorf("after a reset: %s, %v", text, err)
		}
	})
}

// The books are bounded: the oldest that have ended go first.
func TestBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, kind standin.Kind, in *inbox) {
		file := filepath.Join(t.TempDir(), "payments")
		s := start(t, kind, in, core.Options{Most: 3})
		if err := s.Keep(file, func(err error) { t.Error(err) }); err != nil {
			t.Fatal(err)
		}
		if err := s.AddRule(core.Rule{Outcome: map[string]string{"mtn": "pending_forever", "mom-factura": "pending", "momentpay": "unpaid"}[kind.Name], Times: 1}); err != nil {
			t.Fatal(err)
		}
		open := mustPay(t, s, 1).Reference
		for n := range 9 {
			mustPay(t, s, 2+n)
			time.Sleep(time.Minute)
		}
		if _, known := s.Payment(open); !known || len(s.Ledger()) != 3 || len(s.Charges()) != 2 {
			t.Errorf("%+v", s.Ledger())
		}
		text, err := os.ReadFile(file)
		if err != nil || strings.Count(string(text), "\n") > 3*3+6 {
			t.Errorf("%d lines, %v", strings.Count(string(text), "\n"), err)
		}
	})
}

// The second half of a slow body comes 30 seconds later, if the caller waits.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, kind standin.Kind, in *inbox) {
		s := start(t, kind, in, core.Options{})
		if err := s.AddRule(core.Rule{Fault: core.SlowBody}); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if code, text := send(t, s, "POST", "/collection/token", `{}`, "Ocp-Apim-Subscription-Key", s.Variables("")["MTN_SUBSCRIPTION_KEY"]); code < 400 || time.Since(before) != 30*time.Second && kind.Name != "mom-factura" {
			t.Errorf("%d %s after %s", code, text, time.Since(before))
		}
	})
}

// The tables of README.md are those of the code: common faults once, each
// provider's own in its section.
func TestFaultsAreListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, common, _ := strings.Cut(string(text), "\n## Faults\n")
	common, _, _ = strings.Cut(common, "\n## ")
	headings := map[string]string{"mtn": "MTN", "mom-factura": "Mom Factura", "momentpay": "MomentPay"}
	for _, kind := range standin.All() {
		s := start(t, kind, &inbox{}, core.Options{})
		_, own, _ := strings.Cut(string(text), "\n## "+headings[kind.Name]+"\n")
		own, _, _ = strings.Cut(own, "\n## ")
		for _, f := range s.Faults() {
			row := fmt.Sprintf("| `%s` | %s |\n", f.Name, f.Meaning)
			if !strings.Contains(common, row) && !strings.Contains(own, row) {
				t.Errorf("%s: README.md lacks\n%s", kind.Name, row)
			}
		}
		if err := s.AddRule(core.Rule{}); !errors.Is(err, core.ErrRule) {
			t.Errorf("an empty rule: %v", err)
		}
	}
}
