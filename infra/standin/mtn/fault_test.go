package mtn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// outcome is what a client sees of a request to pay.
type outcome struct {
	code  int    // 0: no answer
	class string // timeout, reset, broken; empty with a whole answer
	html  bool
}

func classify(resp *http.Response, err error) outcome {
	var n net.Error
	switch {
	case err == nil:
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		o := outcome{code: resp.StatusCode, html: strings.Contains(string(body), "<html>")}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			o.class = "broken"
		}
		return o
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF):
		return outcome{class: "reset"}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return outcome{class: "timeout"}
	}
	return outcome{class: err.Error()}
}

// promised reads a fault's name: what the client sees of a request to pay, and
// whether the provider acted.
func promised(t *testing.T, f core.Fault) (sees outcome, acted bool) {
	t.Helper()
	name, before := strings.CutSuffix(string(f), "_before")
	name = strings.TrimSuffix(name, "_after")
	number := regexp.MustCompile(`\d+$`).FindString(name)
	sees.code, _ = strconv.Atoi(number) // 0: no number
	switch kind := strings.TrimSuffix(name, number); kind {
	case "error", "json":
	case "html":
		sees.html = true
	case "timeout", "reset":
		sees.class = kind
	case "truncated":
		sees = outcome{code: 202, class: "broken"}
	case "endless":
		sees = outcome{code: 200, html: true}
	case "echo", "login_failed":
		return outcome{code: 500}, false
	default:
		t.Fatalf("%s promises nothing", f)
	}
	return sees, !before
}

// exchangeFaults are those that a request to pay can meet.
func exchangeFaults(s *mtn.Standin) (all []core.Fault) {
	for _, f := range s.Faults() {
		if len(f.Routes) == 0 && f.Name != core.SlowBody { // an accepted request has no body to be slow
			all = append(all, f.Name)
		}
	}
	return all
}

// Sockets and the RoundTripper must agree, fault by fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, f := range exchangeFaults(mtn.New(mtn.Options{})) {
		sees, acted := promised(t, f)
		for _, way := range []string{"socket", "in process"} {
			t.Run(string(f)+" "+way, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, mtn.Options{})
				defer w.Close()
				if err := w.AddRule(core.Rule{Route: mtn.RouteRequestToPay, Fault: f, Times: 1}); err != nil {
					t.Fatal(err)
				}
				patience := 30 * time.Second
				if sees.class == "timeout" {
					patience = time.Second
				}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				r := w.request("POST", "/collection/v1_0/requesttopay", bodyFor(ordinary), header("X-Reference-Id", refA)).WithContext(ctx)
				rt := w.RoundTripper()
				if way == "socket" {
					srv := httptest.NewServer(w.Handler())
					defer srv.Close()
					r.URL.Host = srv.Listener.Addr().String()
					rt = srv.Client().Transport
				}
				got := classify(rt.RoundTrip(r))
				if got != sees {
					t.Errorf("saw %+v, want %+v", got, sees)
				}
				e := w.entry(refA)
				if (e.Accepted == 1) != acted || e.Asks != 1 {
					t.Errorf("accepted %d of %d asks, want acted %t", e.Accepted, e.Asks, acted)
				}
				// The same request again, unharmed, meets what is true.
				code, err := w.pay(context.Background(), refA, ordinary)
				if again := map[bool]int{true: 409, false: 202}[acted]; code != again || err != nil {
					t.Errorf("again: %d, %v, want %d", code, err, again)
				}
			})
		}
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Without a deadline a swallowed request ends after Hang.
		w := newWorld(t, mtn.Options{Options: core.Options{Hang: 90 * time.Second}})
		defer w.Close()
		start := time.Now()
		_, err := w.pay(context.Background(), refA, mtn.Payer("timeout_after"))
		var n net.Error
		if !errors.As(err, &n) || !n.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 90*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		// With one it ends then.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start = time.Now()
		if _, err := w.pay(ctx, refB, mtn.Payer("timeout_before")); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if a, b := w.entry(refA), w.entry(refB); a.Charges != 1 || b.Charges != 0 {
			t.Errorf("charges %d and %d, want 1 and 0", a.Charges, b.Charges)
		}
	})
	w := newWorld(t, mtn.Options{Options: core.Options{InstantTimeouts: true}})
	defer w.Close()
	if _, err := w.pay(context.Background(), refA, mtn.Payer("timeout_after")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("instant: %v", err)
	}
}

func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.AddRule(core.Rule{Route: mtn.RouteRequestToPay, DelayMs: 7000, Times: 2})
		start := time.Now()
		w.mustPay(refA, ordinary)
		if d := time.Since(start); d != 7*time.Second {
			t.Errorf("answered after %v", d)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.pay(ctx, refB, ordinary); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up: %v", err)
		}
		if w.entry(refB).Accepted != 1 {
			t.Error("a slow answer is no refusal")
		}
	})
}

func TestInjectAndChoose(t *testing.T) {
	t.Parallel()
	var seen []core.Call
	hits := 0
	w := newWorld(t, mtn.Options{Options: core.Options{Inject: func(c core.Call) core.Fault {
		if c.Route != mtn.RouteRequestToPay {
			return ""
		}
		seen = append(seen, c)
		if hits++; hits == 1 {
			return core.Error503Before
		}
		return ""
	},
		Choose: func(c core.Call) (core.Script, bool) {
			return core.Script{Name: "mine", Steps: []core.Step{{Status: "FAILED", Reason: "EXPIRED"}}}, c.Amount == "150.00"
		}}})
	defer w.Close()
	if code, _ := w.pay(context.Background(), refA, ordinary); code != 503 {
		t.Errorf("injected: %d", code)
	}
	w.mustPay(refA, ordinary)
	if e := w.entry(refA); e.Script != "mine" || e.Status != "FAILED" || e.Reason != "EXPIRED" || e.Asks != 2 {
		t.Errorf("%+v", e)
	}
	want := core.Call{Provider: "mtn", Route: "requesttopay", Reference: refA, Payer: ordinary, Amount: "150.00"}
	if len(seen) != 2 || seen[0] != want {
		t.Errorf("%+v", seen)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mtn.Options{})
	defer w.Close()
	for _, bad := range []core.Rule{
		{}, {Route: "nowhere", Fault: core.Error503Before}, {Fault: "nothing"}, {Fault: mtn.WrongAmount},
		{Route: core.RouteCallback, Fault: core.Error503Before}, {Route: mtn.RouteStatus, Fault: core.Lost},
		{Route: mtn.RouteRequestToPay, Outcome: "nothing"}, {Route: mtn.RouteStatus, Outcome: "slow"},
		{DelayMs: -1}, {DelayMs: 4_000_000}, {Fault: core.Error503Before, Times: -1},
	} {
		if err := w.AddRule(bad); !errors.Is(err, core.ErrRule) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, r := range []core.Rule{
		{Match: core.Match{Payer: "26876000001"}, Fault: core.Error503Before, Times: 2},
		{Route: mtn.RouteRequestToPay, Outcome: "callback_put", Times: 1},
	} {
		if err := w.AddRule(r); err != nil {
			t.Fatal(err)
		}
	}
	w.mustPay(refA, ordinary) // takes the plan
	if e := w.entry(refA); e.Script != "callback_put" {
		t.Errorf("plan %q", e.Script)
	}
	for i, want := range []int{503, 503, 202} {
		if code, _ := w.pay(context.Background(), refB, "26876000001"); code != want {
			t.Errorf("request %d: %d, want %d", i, code, want)
		}
	}
	if left := w.Rules(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}
