package momentpay_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/momentpay"
)

const (
	key       = "sk_test_0123456789"
	newSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	reference = "0b7e9a3e-6f7a-4d8b-9a1e-0f6f0f0a1b2c"
)

// world is a sandbox and a receiver of its webhooks, without sockets.
type world struct {
	*momentpay.Standin
	t *testing.T

	mu      sync.Mutex
	answers []int // codes for the webhooks to come; then 200
	got     []received
}

// received is a webhook: what it says, and under which secrets it verifies.
type received struct {
	ID, HeaderID, Type, Status string
	At                         time.Duration // since the start
	New, Old                   bool
}

func newWorld(t *testing.T, o momentpay.Options) *world {
	w := &world{t: t}
	begin := time.Now()
	o.SecretKey, o.Seed = key, 1
	if o.WebhookSecrets == nil {
		o.WebhookSecrets = []string{newSecret}
	}
	o.CallbackURL = "https://pay.example.com/webhooks/momentpay"
	o.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		var e struct {
			ID, Type string
			Data     struct{ Status string }
		}
		if err := json.Unmarshal(body, &e); err != nil {
			t.Error(err)
		}
		verifies := func(secret string) bool {
			wh, err := standardwebhooks.NewWebhook(secret)
			return err == nil && wh.Verify(body, r.Header) == nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, received{e.ID, r.Header.Get("webhook-id"), e.Type, e.Data.Status, time.Since(begin), verifies(newSecret), verifies(oldSecret)})
		code := 200
		if len(w.answers) > 0 {
			code, w.answers = w.answers[0], w.answers[1:]
		}
		return &http.Response{StatusCode: code, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
	})}
	w.Standin = momentpay.New(o)
	t.Cleanup(w.Close)
	return w
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// call makes one API call and returns code, body and whether it was replayed.
func (w *world) call(method, path, body, idempotency string) (int, map[string]any, bool) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, "https://api.momentpay.net"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if idempotency != "" {
		r.Header.Set("Idempotency-Key", idempotency)
	}
	resp, err := (&http.Client{Transport: w.RoundTripper()}).Do(r)
	if err != nil {
		return 0, nil, false
	}
	defer resp.Body.Close()
	var v map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&v)
	return resp.StatusCode, v, resp.Header.Get("Idempotent-Replayed") == "true"
}

func (w *world) webhooks() []received {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

const (
	link = `{"amount":15000,"currency":"ZAR","external_reference":"` + reference + `"}`
	push = `{"type":"push","amount":15000,"currency":"ZAR","external_reference":"` + reference + `","push":{"provider":"capitec","capitec":{"phone_number":"+27823778084"}}}`
)

func TestIdempotency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, momentpay.Options{Manual: true})
		code, first, replayed := w.call("POST", "/collect/payment_request", link, "k")
		if code != 201 || replayed || first["status"] != "active" {
			t.Fatalf("%d %v", code, first)
		}
		if err := w.SetOutcome(reference, "paid", "", false); err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{link, push, "nonsense"} {
			code, again, replayed := w.call("POST", "/collect/payment_request", body, "k")
			if diff := cmp.Diff(first, again); diff != "" || code != 201 || !replayed {
				t.Errorf("%d %t %s", code, replayed, diff)
			}
		}
		// A refusal is kept as well.
		if code, _, replayed := w.call("POST", "/collect/payment_request", `{}`, "bad"); code != 400 || replayed {
			t.Errorf("%d %t", code, replayed)
		}
		if code, _, replayed := w.call("POST", "/collect/payment_request", link, "bad"); code != 400 || !replayed {
			t.Errorf("%d %t", code, replayed)
		}
		for _, none := range []string{"", strings.Repeat("k", 256)} {
			if code, _, _ := w.call("POST", "/collect/payment_request", link, none); code != 400 {
				t.Errorf("key %.5q: %d", none, code)
			}
		}
		time.Sleep(24*time.Hour - time.Nanosecond)
		if _, _, replayed := w.call("POST", "/collect/payment_request", link, "k"); !replayed {
			t.Error("forgotten within 24 hours")
		}
		time.Sleep(time.Nanosecond)
		if code, again, replayed := w.call("POST", "/collect/payment_request", link, "k"); code != 201 || replayed || again["id"] == first["id"] {
			t.Errorf("known for longer than 24 hours: %d %v", code, again)
		}
		if e, _ := w.Payment(reference); e.Accepted != 2 || e.Asks < 6 {
			t.Errorf("%+v", e)
		}
	})
}

// TestErrorsKept: the answer of a failure is kept whether it acted or not, and
// an answer that got lost on the way is kept as it was meant.
func TestErrorsKept(t *testing.T) {
	t.Parallel()
	for fault, want := range map[core.Fault]struct{ first, second, requests int }{
		momentpay.KeptErrorBefore: {500, 500, 0},
		momentpay.KeptErrorAfter:  {500, 500, 1},
		core.Error500Before:       {500, 201, 1},
		core.Error500After:        {500, 201, 1},
		core.ResetAfter:           {0, 201, 1},
		core.Error401Before:       {401, 201, 1},
	} {
		w := newWorld(t, momentpay.Options{Manual: true})
		if err := w.AddRule(core.Rule{Route: momentpay.RouteCreate, Fault: fault, Times: 1}); err != nil {
			t.Fatal(err)
		}
		first, _, _ := w.call("POST", "/collect/payment_request", link, "k")
		second, _, _ := w.call("POST", "/collect/payment_request", link, "k")
		if e, _ := w.Payment(reference); first != want.first || second != want.second || e.Accepted != want.requests || e.Asks != 2 {
			t.Errorf("%s: %d, %d, %+v", fault, first, second, e)
		}
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, momentpay.Options{Manual: true})
	for i, c := range []struct {
		from, to string
		code     int
	}{
		{"15000", "0", 400}, {"15000", "-1", 400}, {"15000", "150.00", 400}, {"ZAR", "USD", 400}, {reference, "a/b", 400}, {reference, "a b", 400},
		{"push", "card", 400}, {"+27823778084", "27823778084", 400}, {"capitec", "fnb", 400}, {"15000", `15000,"expires_at":"2020-01-01T00:00:00Z"`, 400},
		{"15000", `15000,"expires_at":"tomorrow"`, 400}, {"15000", `15000,"description":"` + strings.Repeat("x", 501) + `"`, 400}, {"15000", `15000,"description":"x"`, 201},
	} {
		if code, v, _ := w.call("POST", "/collect/payment_request", strings.Replace(push, c.from, c.to, 1), "k"+string(rune('a'+i))); code != c.code {
			t.Errorf("%s: %d %v", c.to, code, v)
		}
	}
	for _, path := range []string{"/", "/collect/payment_request/pr_1", "/collect/payments/p_1", "/collect/payment_request/", "/collect/payments"} {
		if code, _, _ := w.call("GET", path, "", ""); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://x.example/collect/payment_request/pr_1", nil)
	r.Header.Set("Authorization", "Bearer "+key+"x")
	resp, err := w.RoundTripper().RoundTrip(r)
	if err != nil || resp.StatusCode != 401 {
		t.Errorf("another key: %v, %v", resp, err)
	}
}

// TestLife: expiry by the clock, PATCH, and the payment behind a request.
func TestLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, momentpay.Options{Manual: true})
		_, v, _ := w.call("POST", "/collect/payment_request", push, "k")
		path := "/collect/payment_request/" + v["id"].(string)
		status := func() any { _, v, _ := w.call("GET", path, "", ""); return v["status"] }
		time.Sleep(2*time.Minute - time.Second)
		if got := status(); got != "active" {
			t.Errorf("before its expiry: %v", got)
		}
		later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		if code, v, _ := w.call("PATCH", path, `{"expires_at":"`+later+`","description":"new"}`, "p"); code != 200 || v["expires_at"] != later || v["description"] != "new" {
			t.Errorf("PATCH: %d %v", code, v)
		}
		if code, _, replayed := w.call("PATCH", path, `{}`, "p"); code != 200 || !replayed {
			t.Errorf("PATCH again: %d %t", code, replayed)
		}
		if code, _, _ := w.call("PATCH", path, `{}`, ""); code != 400 {
			t.Errorf("PATCH without key: %d", code)
		}
		time.Sleep(time.Hour - time.Second)
		if got := status(); got != "active" {
			t.Errorf("before its new expiry: %v", got)
		}
		time.Sleep(time.Second)
		if got := status(); got != "expired" {
			t.Errorf("after its expiry: %v", got)
		}
		if code, p, _ := w.call("GET", "/collect/payments/"+v["payment_id"].(string), "", ""); code != 200 || p["status"] != "expired" {
			t.Errorf("payment: %d %v", code, p)
		}
		if err := w.SetOutcome(reference, "paid", "", false); err != nil {
			t.Error(err)
		}
		if err := w.SetOutcome(reference, "failed", "", false); !errors.Is(err, core.ErrStale) {
			t.Error(err)
		}
		if _, p, _ := w.call("GET", "/collect/payments/"+v["payment_id"].(string), "", ""); p["status"] != "succeeded" || p["paid_amount"] != 15000.0 {
			t.Errorf("payment: %v", p)
		}
	})
}

// TestWebhooks: signed under each secret, tried again with the same id and a
// new time, lost and repeated as told.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, momentpay.Options{WebhookSecrets: []string{newSecret, oldSecret}, OwnWebhookID: true})
		w.answers = []int{200, 500, 503}
		w.call("POST", "/collect/payment_request", link, "k")
		time.Sleep(10 * time.Minute)
		got := w.webhooks()
		if len(got) != 4 {
			t.Fatalf("%+v", got)
		}
		paid := got[1]
		want := []received{
			{got[0].ID, got[0].HeaderID, "payment_request.created", "active", 0, true, true},
			{paid.ID, paid.HeaderID, "payment_request.paid", "paid", time.Second, true, true},
			{paid.ID, paid.HeaderID, "payment_request.paid", "paid", 6 * time.Second, true, true},
			{paid.ID, paid.HeaderID, "payment_request.paid", "paid", 66 * time.Second, true, true},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if paid.ID == paid.HeaderID || !strings.HasPrefix(paid.HeaderID, "msg_") {
			t.Errorf("ids %q, %q", paid.ID, paid.HeaderID)
		}
		w.RotateSecrets(newSecret)
		for range 2 {
			if sent, err := w.SendCallback(reference, core.Notice{}); err != nil || sent.Code != 200 {
				t.Errorf("%+v, %v", sent, err)
			}
		}
		if got := w.webhooks(); len(got) != 6 || !got[5].New || got[5].Old {
			t.Errorf("after the rotation: %+v", got[4:])
		}
		for _, how := range momentpay.Forgeries() {
			sent, err := w.SendCallback(reference, core.Notice{Forged: how})
			if got := w.webhooks(); err != nil || sent.Forged != how || how != momentpay.Replayed && how != momentpay.Future && got[len(got)-1].New {
				t.Errorf("%s: %+v, %v", how, got[len(got)-1], err)
			}
		}
	})
}

// TestPlans walks every script: what the books say, and which webhooks came
// within an hour.
func TestPlans(t *testing.T) {
	t.Parallel()
	type truth struct {
		Requests, Charges int
		Status            string
		NotifiedPercent   []string // events but created, those of forgers left out
	}
	paid := "payment_request.paid paid"
	want := map[string]truth{
		"success": {1, 1, "paid", []string{paid}}, "unpaid": {1, 0, "expired", nil}, "failed": {1, 0, "failed", nil},
		"failed_told": {1, 0, "failed", []string{"payment_request.updated failed"}}, "slow": {1, 1, "paid", []string{paid}},
		"webhook_lost": {1, 1, "paid", nil}, "webhook_late": {1, 1, "paid", []string{paid}}, "webhook_double": {1, 1, "paid", []string{paid, paid}},
		"webhook_forged": {1, 0, "failed", nil}, "webhook_updated": {1, 1, "paid", []string{"payment_request.updated paid"}},
		"url_spelling": {1, 1, "paid", []string{paid}}, "webhook_bare": {1, 1, "paid", []string{paid}},
		"webhook_strange": {1, 1, "paid", []string{"obligation.amount_applied paid", paid}}, "wrong_amount": {1, 1, "paid", []string{paid}},
		"reset_before": {0, 0, "", nil}, "reset_after": {1, 1, "paid", []string{paid}}, "timeout_after": {1, 1, "paid", []string{paid}},
		"answers_lost": {1, 1, "paid", nil}, "error_kept": {1, 1, "paid", []string{paid}}, "error_once": {1, 1, "paid", []string{paid}},
		"html200": {0, 0, "", nil}, "error429_once": {1, 1, "paid", []string{paid}}, "refused": {0, 0, "", nil},
	}
	plans := momentpay.New(momentpay.Options{}).Scripts()
	for _, plan := range plans {
		t.Run(plan.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, momentpay.Options{Options: core.Options{InstantTimeouts: true}})
				body := strings.Replace(push, "+27823778084", pushNumber(t, plan.For[0]), 1)
				for range 4 {
					w.call("POST", "/collect/payment_request", body, "k")
				}
				time.Sleep(time.Hour)
				e, _ := w.Payment(reference)
				got := truth{e.Accepted, e.Charges, e.Status, nil}
				for _, s := range e.Callbacks {
					if s.Forged == "" && s.Kind != "payment_request.created" {
						got.NotifiedPercent = append(got.NotifiedPercent, s.Kind+" "+s.Status)
					}
				}
				if diff := cmp.Diff(want[plan.Name], got); diff != "" || e.Asks != 4 {
					t.Errorf("asked %d times: %s", e.Asks, diff)
				}
				if plan.Name == "webhook_double" && e.Callbacks[1].ID != e.Callbacks[2].ID {
					t.Error("the repetition has another id")
				}
				if plan.Name == "webhook_forged" && len(e.Callbacks) != 1+len(momentpay.Forgeries()) {
					t.Errorf("%+v", e.Callbacks)
				}
			})
		})
	}
	if len(want) != len(plans) {
		t.Error("plans and their truths differ in number")
	}
}

func pushNumber(t *testing.T, code string) string {
	t.Helper()
	n, err := strconv.Atoi(code)
	if err != nil {
		t.Fatal(err)
	}
	return momentpay.PushNumber(n)
}
