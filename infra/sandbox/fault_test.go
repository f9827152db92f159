package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/sandbox"
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

// Every fault of an exchange: what the client sees, and whether the provider
// acted.
var exchangeFaults = map[sandbox.Fault]struct {
	sees  outcome
	acted bool
}{
	sandbox.TimeoutBefore:    {outcome{class: "timeout"}, false},
	sandbox.TimeoutAfter:     {outcome{class: "timeout"}, true},
	sandbox.ResetBefore:      {outcome{class: "reset"}, false},
	sandbox.ResetAfter:       {outcome{class: "reset"}, true},
	sandbox.Error500Before:   {outcome{code: 500}, false},
	sandbox.Error500After:    {outcome{code: 500}, true},
	sandbox.Unavailable:      {outcome{code: 503}, false},
	sandbox.UnavailableAfter: {outcome{code: 503}, true},
	sandbox.TooMany:          {outcome{code: 429}, false},
	sandbox.Unauthorized:     {outcome{code: 401}, false},
	sandbox.Forbidden:        {outcome{code: 403}, false},
	sandbox.LoginFailed:      {outcome{code: 500}, false},
	sandbox.HTMLBefore:       {outcome{code: 200, html: true}, false},
	sandbox.HTMLAfter:        {outcome{code: 200, html: true}, true},
	sandbox.JSONBefore:       {outcome{code: 200}, false},
	sandbox.JSONAfter:        {outcome{code: 200}, true},
	sandbox.Truncated:        {outcome{code: 202, class: "broken"}, true},
	sandbox.NotFound:         {outcome{code: 404}, false},
}

// Sockets and the RoundTripper must agree, fault by fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	for f, want := range exchangeFaults {
		for _, way := range []string{"socket", "in process"} {
			t.Run(string(f)+" "+way, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, sandbox.Options{})
				defer w.Close()
				if err := w.AddRule(sandbox.Rule{Route: sandbox.RouteRequestToPay, Fault: f, Times: 1}); err != nil {
					t.Fatal(err)
				}
				patience := 30 * time.Second
				if want.sees.class == "timeout" {
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
				if got != want.sees {
					t.Errorf("saw %+v, want %+v", got, want.sees)
				}
				e := w.entry(refA)
				if (e.Accepted == 1) != want.acted || e.Asks != 1 {
					t.Errorf("accepted %d of %d asks, want acted %t", e.Accepted, e.Asks, want.acted)
				}
				// The same request again, unharmed, meets what is true.
				code, err := w.pay(context.Background(), refA, ordinary)
				if again := map[bool]int{true: 409, false: 202}[want.acted]; code != again || err != nil {
					t.Errorf("again: %d, %v, want %d", code, err, again)
				}
			})
		}
	}
}

// The table above has every fault of an exchange.
func TestFaultsAreAllTested(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	for _, f := range sandbox.Faults() {
		_, tested := exchangeFaults[f]
		if err := w.AddRule(sandbox.Rule{Route: sandbox.RouteRequestToPay, Fault: f}); (err == nil) != tested {
			t.Errorf("%s: tested %t, rule %v", f, tested, err)
		}
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Without a deadline a swallowed request ends after Hang.
		w := newWorld(t, sandbox.Options{Hang: 90 * time.Second})
		defer w.Close()
		start := time.Now()
		_, err := w.pay(context.Background(), refA, sandbox.Payer("timeout_after"))
		var n net.Error
		if !errors.As(err, &n) || !n.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 90*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		// With one it ends then.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start = time.Now()
		if _, err := w.pay(ctx, refB, sandbox.Payer("timeout_before")); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if a, b := w.entry(refA), w.entry(refB); a.Charges != 1 || b.Charges != 0 {
			t.Errorf("charges %d and %d, want 1 and 0", a.Charges, b.Charges)
		}
	})
	w := newWorld(t, sandbox.Options{InstantTimeouts: true})
	defer w.Close()
	if _, err := w.pay(context.Background(), refA, sandbox.Payer("timeout_after")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("instant: %v", err)
	}
}

func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sandbox.Options{})
		defer w.Close()
		w.AddRule(sandbox.Rule{Route: sandbox.RouteRequestToPay, DelayMS: 7000, Times: 2})
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
	var seen []sandbox.Call
	hits := 0
	w := newWorld(t, sandbox.Options{
		Inject: func(c sandbox.Call) sandbox.Fault {
			if c.Route != sandbox.RouteRequestToPay {
				return ""
			}
			seen = append(seen, c)
			if hits++; hits == 1 {
				return sandbox.Unavailable
			}
			return ""
		},
		Choose: func(c sandbox.Call) (sandbox.Plan, bool) {
			return sandbox.Plan{Name: "mine", Steps: []sandbox.Step{{Status: "FAILED", Reason: "EXPIRED"}}}, c.Amount == "150.00"
		},
	})
	defer w.Close()
	if code, _ := w.pay(context.Background(), refA, ordinary); code != 503 {
		t.Errorf("injected: %d", code)
	}
	w.mustPay(refA, ordinary)
	if e := w.entry(refA); e.Plan != "mine" || e.Status != "FAILED" || e.Reason != "EXPIRED" || e.Asks != 2 {
		t.Errorf("%+v", e)
	}
	want := sandbox.Call{Provider: "mtn", Route: "requesttopay", Reference: refA, Payer: ordinary, Amount: "150.00"}
	if len(seen) != 2 || seen[0] != want {
		t.Errorf("%+v", seen)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{})
	defer w.Close()
	for _, bad := range []sandbox.Rule{
		{}, {Route: "nowhere", Fault: sandbox.Unavailable}, {Fault: "nothing"}, {Fault: sandbox.WrongAmount},
		{Route: sandbox.RouteCallback, Fault: sandbox.Unavailable}, {Route: sandbox.RouteStatus, Fault: sandbox.LostCallback},
		{Route: sandbox.RouteRequestToPay, Plan: "nothing"}, {Route: sandbox.RouteStatus, Plan: "slow"},
		{DelayMS: -1}, {DelayMS: 4_000_000}, {Fault: sandbox.Unavailable, Times: -1},
	} {
		if err := w.AddRule(bad); !errors.Is(err, sandbox.ErrRule) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	for _, r := range []sandbox.Rule{
		{Payer: "26876000001", Fault: sandbox.Unavailable, Times: 2},
		{Route: sandbox.RouteRequestToPay, Plan: "callback_put", Times: 1},
	} {
		if err := w.AddRule(r); err != nil {
			t.Fatal(err)
		}
	}
	w.mustPay(refA, ordinary) // takes the plan
	if e := w.entry(refA); e.Plan != "callback_put" {
		t.Errorf("plan %q", e.Plan)
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
