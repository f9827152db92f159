package momfactura_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	stand "momoproxy/infra/standin/momfactura"
)

// TestErrors: what is documented to be refused.
func TestErrors(t *testing.T) {
	t.Parallel()
	const withdraw = `,"instantWithdraw":true}`
	phone := func(n string) string { return `{"paymentInfo":{"amount":100,"phoneNumber":"` + n + `"}` + withdraw }
	for _, c := range []struct {
		name, call, body, key string
		code                  int
		want                  string
	}{
		{"no key", "POST /api/payment/reference", `{"paymentInfo":{"amount":100}` + withdraw, "", 401, "MISSING_API_KEY"},
		{"wrong key", "POST /api/payment/reference", `{"paymentInfo":{"amount":100}` + withdraw, "other", 401, "INVALID_API_KEY"},
		{"no body", "POST /api/payment/reference", "", stand.DefaultAPIKey, 400, "INVALID_AMOUNT"},
		{"nothing", "POST /api/payment/reference", `{"paymentInfo":{"amount":0}` + withdraw, stand.DefaultAPIKey, 400, "INVALID_AMOUNT"},
		{"text for a number", "POST /api/payment/reference", `{"paymentInfo":{"amount":"100"}` + withdraw, stand.DefaultAPIKey, 400, "INVALID_AMOUNT"},
		{"no withdraw", "POST /api/payment/reference", `{"paymentInfo":{"amount":100}}`, stand.DefaultAPIKey, 400, "INSTANT_WITHDRAW_REQUIRED"},
		{"no phone", "POST /api/payment/mcx", `{"paymentInfo":{"amount":100}` + withdraw, stand.DefaultAPIKey, 400, "MISSING_PHONE"},
		{"phone of another country", "POST /api/payment/ekwanza", phone("26876123456"), stand.DefaultAPIKey, 400, "MISSING_PHONE"},
		{"products that do not add up", "POST /api/payment/reference", `{"paymentInfo":{"amount":100},"products":[{"productName":"Arroz","productPrice":40,"productQuantity":2}]` + withdraw, stand.DefaultAPIKey, 400, "AMOUNT_MISMATCH"},
		{"products that do", "POST /api/payment/reference", `{"paymentInfo":{"amount":100},"products":[{"productName":"Arroz","productPrice":12.5,"productQuantity":8}]` + withdraw, stand.DefaultAPIKey, 200, "referenceNumber"},
		{"unknown operation", "GET /api/payment/reference/status/op-1", "", stand.DefaultAPIKey, 404, "PAYMENT_NOT_FOUND"},
		{"no such page", "GET /api/payment/mcx/status/1", "", stand.DefaultAPIKey, 404, "Cannot GET"},
		{"wrong method", "GET /api/payment/mcx", "", stand.DefaultAPIKey, 404, "Cannot GET"},
		{"simulated only in QA", "POST /api/payment/mcx", `{"paymentInfo":{"amount":100,"phoneNumber":"244900000001"},"simulateResult":"rejected"` + withdraw, stand.DefaultAPIKey, 200, "transactionId"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			times := stand.DefaultTimes()
			times.Approve = time.Millisecond
			w := newWorld(t, stand.Options{Options: core.Options{Times: times}})
			method, path, _ := strings.Cut(c.call, " ")
			code, m := w.do(method, path, c.body, "x-api-key", c.key)
			if code != c.code || !strings.Contains(fmt.Sprint(m), c.want) || (m["success"] == true) != (code == 200) {
				t.Errorf("%d %v", code, m)
			}
			if (len(w.Ledger()) == 1) != (code == 200) {
				t.Errorf("%d payments", len(w.Ledger()))
			}
		})
	}
}

// TestMCX: the provider's test numbers and simulateResult, in QA.
func TestMCX(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stand.Options{})
		pay := func(number, more string) int {
			code, _ := w.do("POST", "/api/payment/mcx", `{"paymentInfo":{"amount":100,"phoneNumber":"`+number+`"},"instantWithdraw":true`+more+`}`, "x-env-qa", "true")
			return code
		}
		got := []int{
			pay("244900000000", ""), pay("244900000001", ""), pay("244900000002", ""), pay("244900000003", ""), pay("244999999999", ""),
			pay("244923456789", `,"simulateResult":"timeout"`), pay("244900000001", `,"simulateResult":"success"`),
		}
		if diff := cmp.Diff([]int{200, 402, 504, 403, 400, 504, 200}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, e := range w.Ledger() {
			if e.Account != "qa" || e.Accepted == 1 && (e.Charges != 1 || e.Status != stand.Paid || e.InvoiceURL == "") {
				t.Errorf("%+v", e)
			}
		}
		time.Sleep(time.Hour)
		if len(w.Charges()) != 2 || len(w.arrived()) != 0 {
			t.Errorf("%d charges, webhooks %v: MCX sends none", len(w.Charges()), w.arrived())
		}
	})
}

// TestScripts: what each script of a payer shows over time.
func TestScripts(t *testing.T) {
	t.Parallel()
	both := []string{"payment.confirmed 1", "invoice.created 1"}
	for _, c := range []struct {
		cents    string
		after    time.Duration
		status   string
		webhooks []string
	}{
		{"00", 500 * time.Millisecond, "pending", nil},
		{"00", 1500 * time.Millisecond, "paid", both[:1]},
		{"00", time.Minute, "paid invoiced", both},
		{"99", time.Minute, "paid invoiced", both},
		{"01", time.Hour, "paid invoiced", nil},
		{"02", time.Minute, "paid invoiced", nil},
		{"02", time.Hour, "paid invoiced", both},
		{"03", time.Hour, "paid invoiced", append(both, both...)},
		{"04", time.Hour, "paid invoiced", []string{both[1], both[0]}},
		{"05", time.Hour, "expired", []string{both[0], "<nil> 3"}},
		{"06", time.Hour, "pending", both[:1]},
		{"07", time.Hour, "paid invoiced", append([]string{"<nil> 4"}, both...)},
		{"08", time.Hour, "paid invoiced", []string{"<nil> 1"}},
		{"09", time.Hour, "paid", both[:1]},
		{"10", 100 * time.Hour, "pending", nil},
		{"11", 20 * time.Second, "pending", nil},
		{"11", time.Hour, "paid invoiced", both},
		{"12", time.Hour, "cancelled", []string{"<nil> 3"}},
		{"13", time.Hour, "expired", []string{"<nil> 3"}},
		{"14", time.Hour, "failed", []string{"<nil> 4"}},
		{"15", time.Hour, "rejected", []string{"<nil> 4"}},
		{"16", 10 * time.Second, "error", []string{"<nil> 5"}},
		{"16", time.Hour, "paid invoiced", append([]string{"<nil> 5"}, both...)},
		{"17", 10 * time.Second, "ON_HOLD", []string{"<nil> 2"}},
		{"18", 10 * time.Second, "pending", both},
		{"18", time.Hour, "paid invoiced", both},
		{"19", time.Hour, "expired", []string{"<nil> 3"}},
		{"19", 31 * time.Hour, "paid invoiced", append([]string{"<nil> 3"}, both...)},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, stand.Options{})
			id := w.reference("100." + c.cents)
			time.Sleep(c.after)
			synctest.Wait()
			if got := w.status(id); got != c.status {
				t.Errorf(".%s after %s: %s, want %s", c.cents, c.after, got, c.status)
			}
			if diff := cmp.Diff(c.webhooks, w.arrived(), cmp.Transformer("set", func(s []string) string { return strings.Join(s, ", ") })); diff != "" {
				t.Errorf(".%s after %s (-want +got)\n%s", c.cents, c.after, diff)
			}
			e, _ := w.Payment(id)
			if want := strings.HasPrefix(c.status, "paid"); (e.Charges == 1) != want && c.cents != "18" {
				t.Errorf(".%s: %+v", c.cents, e)
			}
			for _, sent := range e.Callbacks {
				if sent.Code != 200 {
					t.Errorf(".%s: %+v", c.cents, sent)
				}
			}
		})
	}
}

// TestLimits: the four are counted each by itself, at their edges, and
// answered when told to.
func TestLimits(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, o stand.Options, f func(*world)) violations {
		var v violations
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, o)
			f(w)
			v = w.violations()
		})
		return v
	}
	ask := func(w *world, id string, times int, apart time.Duration) (last int) {
		for range times {
			last, _ = w.do("GET", "/api/payment/reference/status/"+id, "")
			time.Sleep(apart)
		}
		return last
	}
	for _, c := range []struct {
		name string
		do   func(*world)
		want violations
	}{
		{"20 submissions", func(w *world) {
			for range 20 {
				w.reference("100.10")
			}
			time.Sleep(time.Minute)
			w.reference("100.10")
		}, violations{}},
		{"21 submissions", func(w *world) {
			for range 20 {
				w.reference("100.10")
			}
			time.Sleep(time.Minute - 1)
			w.reference("100.10")
		}, violations{stand.LimitSubmits: 1}},
		{"100 requests", func(w *world) {
			for range 100 {
				w.do("GET", "/api/payment/reference/status/unknown", "")
			}
		}, violations{}},
		{"102 requests, paths unknown too", func(w *world) {
			for range 102 {
				w.do("GET", "/elsewhere", "")
			}
		}, violations{stand.LimitRequests: 2}},
		{"reference every 30 s", func(w *world) { ask(w, w.reference("100.10"), 3, 30*time.Second) }, violations{}},
		{"reference a little sooner", func(w *world) { ask(w, w.reference("100.10"), 3, 30*time.Second-1) }, violations{stand.LimitReferences: 2}},
		{"two references at once", func(w *world) { ask(w, w.reference("100.10"), 1, 0); ask(w, w.reference("100.10"), 1, 0) }, violations{}},
		{"swallowed questions count", func(w *world) {
			id := w.reference("100.10")
			if err := w.AddRule(core.Rule{Route: stand.RouteStatus, Fault: core.Error500Before}); err != nil {
				t.Error(err)
			}
			ask(w, id, 2, time.Second)
		}, violations{stand.LimitReferences: 1}},
	} {
		if got := run(t, stand.Options{}, c.do); !maps.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	var codes []int
	run(t, stand.Options{Options: core.Options{EnforceLimits: true}}, func(w *world) {
		codes = append(codes, ask(w, w.reference("100.10"), 2, time.Second))
		for range 20 {
			code, _ := w.do("POST", "/api/payment/reference", `{"paymentInfo":{"amount":1},"instantWithdraw":true}`)
			codes = append(codes[:1], code)
		}
	})
	if diff := cmp.Diff([]int{429, 429}, codes); diff != "" {
		t.Errorf("enforced (-want +got)\n%s", diff)
	}
}

// TestEkwanzaSpacing: five seconds, and its code's clock.
func TestEkwanzaSpacing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stand.Options{})
		_, m := w.do("POST", "/api/payment/ekwanza", `{"paymentInfo":{"amount":100.10,"phoneNumber":"244923456789"},"instantWithdraw":true}`)
		if m["expirationDate"] != time.Now().Add(3*time.Minute).UTC().Format(time.RFC3339) || m["paymentTimeout"] != 180.0 || m["merchantTransactionId"] == nil {
			t.Errorf("%v", m)
		}
		for _, wait := range []time.Duration{5 * time.Second, 5*time.Second - 1, 0} {
			code, m := w.do("GET", fmt.Sprint("/api/payment/ekwanza/status/", m["code"]), "")
			if code != 200 || m["status"] != "pending" || m["operationCode"] == nil {
				t.Errorf("%d %v", code, m)
			}
			time.Sleep(wait)
		}
		if got := w.violations(); !maps.Equal(got, violations{stand.LimitEkwanza: 1}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestDialects: the contradictions of the provider's pages, one by one.
func TestDialects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stand.Options{Dialect: stand.Dialect{SDK: true, SwapNesting: true, Bare: true, Numbers: true, WithdrawOptional: true, NoEkwanza: true}})
		_, m := w.do("POST", "/api/payment/reference", `{"paymentInfo":{"amount":100.13}}`)
		if m["transactionId"] != nil {
			t.Errorf("%v", m)
		}
		_, st := w.do("GET", fmt.Sprint("/api/payment/reference/status/", m["operationId"]), "")
		time.Sleep(time.Minute)
		_, later := w.do("GET", fmt.Sprint("/api/payment/reference/status/", m["operationId"]), "")
		if st["status"] != "open" || later["status"] != "cancelled" {
			t.Errorf("%v, then %v", st, later)
		}
		if len(w.raw) != 1 || !strings.Contains(w.raw[0], `"operationStatus":3,`) {
			t.Errorf("%v", w.raw)
		}
		if code, _ := w.do("POST", "/api/payment/ekwanza", `{}`); code != 404 {
			t.Errorf("ekwanza: %d", code)
		}
	})
}

// TestHands: what a test or an operator does to a payment.
func TestHands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, stand.Options{})
		id := w.reference("100.00")
		if err := w.SetOutcome(id, stand.Expired, "", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := w.status(id); got != "expired" || len(w.arrived()) != 0 {
			t.Errorf("%s, %v", got, w.arrived())
		}
		sent, err := w.SendCallback(id, core.Notice{Status: core.Approve, Forged: stand.Stranger})
		if err != nil || sent.Code != 200 || sent.Forged == "" {
			t.Errorf("%+v, %v", sent, err)
		}
		if err := w.SetOutcome(id, core.Approve, "", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := w.SetOutcome(id, stand.Failed, "", true); !errors.Is(err, core.ErrStale) {
			t.Error(err)
		}
		if err := w.SetOutcome("nobody", stand.Failed, "", true); !errors.Is(err, core.ErrUnknown) {
			t.Error(err)
		}
		want := []string{"payment.confirmed 1", "payment.confirmed 1", "invoice.created 1"}
		if diff := cmp.Diff(want, w.arrived()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for _, c := range []struct {
			fault core.Fault
			more  int
		}{{core.Lost, 0}, {core.Repeated, 4}} {
			before := len(w.arrived())
			w.ClearRules()
			if err := w.AddRule(core.Rule{Route: core.RouteCallback, Fault: c.fault}); err != nil {
				t.Fatal(err)
			}
			w.reference("100.00")
			time.Sleep(time.Minute)
			if got := len(w.arrived()) - before; got != c.more {
				t.Errorf("%s: %d webhooks, want %d", c.fault, got, c.more)
			}
		}
	})
}

// TestReadme: the tables list what there is, word for word.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range stand.New(stand.Options{}).Scripts() {
		if row := fmt.Sprintf("| %s | `%s` | %s |", sc.For[0], sc.Name, sc.Meaning); !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks the row\n%s", row)
		}
	}
}
