package mtn_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// The callbacks of each end, to the byte and with the headers seen.
func TestCallbackShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ payer, end string }{
		{ordinary, `"status":"SUCCESSFUL"}`},
		{mtn.Payer("failed_approval_rejected"), `"status":"FAILED","reason":"APPROVAL_REJECTED"}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, mtn.Options{})
			defer w.Close()
			start := time.Now()
			w.mustPay(refA, c.payer)
			time.Sleep(time.Hour)
			synctest.Wait()
			e := w.entry(refA)
			lead := "{"
			if e.Status == "SUCCESSFUL" {
				lead = `{"financialTransactionId":"` + e.IDs["financialTransactionId"] + `",`
			}
			want := []received{{
				At: start.Add(time.Second), Method: "POST", URL: callbacks,
				Agent: "LWAC Http Client 1.0", Type: "application/json; charset=utf-8",
				Body: lead + head + c.payer + `"},"payeeNote":"till 4",` + c.end,
			}}
			if diff := cmp.Diff(want, w.inbox.all()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.Contains(w.inbox.all()[0].Body, refA) {
				t.Error("a callback names the reference id")
			}
			if len(e.Callbacks) != 1 || e.Callbacks[0].Code != 200 || e.Callbacks[0].Try != 1 {
				t.Errorf("noted: %+v", e.Callbacks)
			}
		})
	}
}

func TestNoCallbackWithoutURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.do(w.request("POST", "/collection/v1_0/requesttopay", bodyFor(ordinary), header("X-Reference-Id", refA)))
		time.Sleep(time.Hour)
		if got := w.inbox.all(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		if _, err := w.SendCallback(refA, core.Notice{}); !errors.Is(err, core.ErrNoURL) {
			t.Errorf("by hand: %v", err)
		}
	})
}

// When and how the callbacks of the scripts about callbacks arrive.
func TestCallbackScripts(t *testing.T) {
	t.Parallel()
	type c struct {
		After  time.Duration
		Method string
		Status string
	}
	const s = time.Second
	for plan, want := range map[string][]c{
		"callback_lost":           nil,
		"callback_late":           {{121 * s, "POST", "SUCCESSFUL"}},
		"callback_double":         {{s, "POST", "SUCCESSFUL"}, {181 * s, "POST", "SUCCESSFUL"}},
		"callback_forged":         {{0, "POST", "SUCCESSFUL"}, {s, "POST", "FAILED"}},
		"callback_forged_only":    {{0, "POST", "SUCCESSFUL"}},
		"callback_forged_pending": {{0, "POST", "SUCCESSFUL"}},
		"callback_forged_failure": {{0, "POST", "FAILED"}, {30 * s, "POST", "SUCCESSFUL"}},
		"callback_put":            {{s, "PUT", "SUCCESSFUL"}},
		"slow":                    {{30 * s, "POST", "SUCCESSFUL"}},
		"late_success":            {{26 * time.Hour, "POST", "SUCCESSFUL"}},
		"corrected":               {{s, "POST", "FAILED"}, {26*time.Hour + s, "POST", "SUCCESSFUL"}},
		"pending_forever":         nil,
	} {
		t.Run(plan, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, mtn.Options{})
				defer w.Close()
				start := time.Now()
				w.mustPay(refA, mtn.Payer(plan))
				time.Sleep(48 * time.Hour)
				var got []c
				for _, r := range w.inbox.all() {
					status := ""
					for _, word := range []string{"SUCCESSFUL", "FAILED"} {
						if strings.Contains(r.Body, `"status":"`+word+`"`) {
							status = word
						}
					}
					got = append(got, c{r.At.Sub(start), r.Method, status})
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// The verdict can arrive while the status still says PENDING, and the status
// can be unknown at first.
func TestCallbackBeforeStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, mtn.Payer("callback_first"))
		w.mustPay(refB, mtn.Payer("hidden"))
		time.Sleep(5 * time.Second)
		if n := len(w.inbox.all()); n != 2 {
			t.Fatalf("%d callbacks", n)
		}
		if _, body := w.status(refA); !strings.Contains(body, "PENDING") {
			t.Errorf("lag: %s", body)
		}
		if code, _ := w.status(refB); code != 404 {
			t.Errorf("hidden: %d", code)
		}
		time.Sleep(11 * time.Second)
		for _, ref := range []string{refA, refB} {
			if _, body := w.status(ref); !strings.Contains(body, "SUCCESSFUL") {
				t.Errorf("in the end: %s", body)
			}
		}
	})
}

func TestCallbackRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{Options: core.Options{CallbackRetries: []time.Duration{time.Second, time.Minute, time.Hour}}})
		defer w.Close()
		w.inbox.code = 500
		start := time.Now()
		w.mustPay(refA, ordinary)
		time.Sleep(30 * time.Minute)
		w.inbox.mu.Lock()
		w.inbox.code = 200
		w.inbox.mu.Unlock()
		time.Sleep(24 * time.Hour)
		var got []time.Duration
		for _, r := range w.inbox.all() {
			got = append(got, r.At.Sub(start))
		}
		want := []time.Duration{time.Second, 2 * time.Second, 62 * time.Second, 62*time.Second + time.Hour}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	if n := len(mtn.DocumentedRetries()); n != 74 {
		t.Errorf("%d documented retries", n)
	}
}

func TestCallbackRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule core.Rule
		want int
		at   time.Duration
	}{
		{core.Rule{Fault: core.Lost}, 0, 0},
		{core.Rule{Fault: core.Repeated}, 2, time.Second},
		{core.Rule{DelayMs: 60_000}, 1, 61 * time.Second},
		{core.Rule{Fault: core.Lost, Match: core.Match{Payer: "26876000000"}}, 1, time.Second},
		{core.Rule{Fault: core.Lost, Times: 1, Match: core.Match{Reference: refA}}, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, mtn.Options{})
			defer w.Close()
			c.rule.Route = core.RouteCallback
			if err := w.AddRule(c.rule); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			w.mustPay(refA, ordinary)
			time.Sleep(time.Hour)
			got := w.inbox.all()
			if len(got) != c.want || len(got) > 0 && got[0].At.Sub(start) != c.at {
				t.Errorf("%+v: %d callbacks: %v", c.rule, len(got), got)
			}
		})
	}
}

// Callbacks by hand: a repetition, a forgery, one to another address.
func TestSendCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, mtn.Payer("failed_expired"))
		time.Sleep(time.Minute)
		if _, err := w.SendCallback(refA, core.Notice{Status: "SUCCESSFUL", Forged: mtn.Stranger, URL: "https://gateway.example/callback"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SendCallback(refA, core.Notice{Method: http.MethodPut}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SendCallback(refA, core.Notice{Body: []byte(`{"status":"SUCCESSFUL"}`)}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.SendCallback(refB, core.Notice{}); !errors.Is(err, core.ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
		got := w.inbox.all()
		if len(got) != 4 {
			t.Fatalf("%d callbacks", len(got))
		}
		if !strings.Contains(got[1].Body, `"SUCCESSFUL"`) || got[1].URL != "https://gateway.example/callback" {
			t.Errorf("forged: %+v", got[1])
		}
		if !strings.Contains(got[2].Body, `"EXPIRED"`) || got[2].Method != "PUT" || got[2].URL != callbacks {
			t.Errorf("repeated: %+v", got[2])
		}
		if got[3].Body != `{"status":"SUCCESSFUL"}` {
			t.Errorf("own body: %+v", got[3])
		}
		e := w.entry(refA)
		if e.Charges != 0 || e.Status != "FAILED" || e.Callbacks[1].Forged == "" {
			t.Errorf("a forgery changed the truth: %+v", e)
		}
	})
}

func TestSetOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, mtn.Options{})
		defer w.Close()
		w.mustPay(refA, ordinary)
		if err := w.SetOutcome(refA, "FAILED", "APPROVAL_REJECTED", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := w.inbox.all(); len(got) != 1 || !strings.Contains(got[0].Body, "APPROVAL_REJECTED") {
			t.Errorf("the script went on: %v", got)
		}
		if err := w.SetOutcome(refA, "SUCCESSFUL", "", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if e := w.entry(refA); e.Charges != 1 || len(w.inbox.all()) != 1 {
			t.Errorf("corrected: %+v", e)
		}
		if err := w.SetOutcome(refA, "FAILED", "EXPIRED", false); !errors.Is(err, core.ErrStale) {
			t.Errorf("money moved back: %v", err)
		}
		if err := w.SetOutcome(refB, "FAILED", "EXPIRED", false); !errors.Is(err, core.ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// Close and Reset leave nothing behind that fires later.
func TestNothingAfterCloseOrReset(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world){"close": func(w *world) { w.Close() }, "reset": func(w *world) { w.Reset() }} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, mtn.Options{})
			defer w.Close()
			w.mustPay(refA, ordinary)
			w.mustPay(refB, mtn.Payer("callback_double"))
			end(w)
			time.Sleep(time.Hour)
			if got := w.inbox.all(); len(got) != 0 {
				t.Errorf("%s: %v", name, got)
			}
			if n := len(w.Ledger()); name == "reset" && n != 0 {
				t.Errorf("%d payments after Reset", n)
			}
		})
	}
}
