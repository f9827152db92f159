package momentpay_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"momoproxy/infra/standin/core"
	momentstand "momoproxy/infra/standin/momentpay"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/momentpay"
)

var arrival = time.Date(2026, 9, 16, 8, 5, 0, 0, time.UTC)

func receiver(t testing.TB) *momentpay.Provider {
	return newProvider(t, config("https://api.momentpay.net"), nil, func() time.Time { return arrival })
}

// signed is a body as MomentPay sends it, signed by somebody else's library.
func signed(t testing.TB, body, secret string, at time.Time) provider.Inbound {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wh.Sign("evt_xyz987654321000001", at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("webhook-id", "evt_xyz987654321000001")
	h.Set("webhook-timestamp", unix(at))
	h.Set("webhook-signature", signature)
	return provider.Inbound{Header: h.Get, Body: []byte(body), At: arrival}
}

func unix(t time.Time) string { b, _ := json.Marshal(t.Unix()); return string(b) }

// hook is the contract's own example, with a reference of ours and changed by
// pairs of texts.
func hook(t testing.TB, changes ...string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/contract_paid.json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(append(changes, "INV-2024-001", reference)...).Replace(string(b))
}

func TestParseCallback(t *testing.T) {
	t.Parallel()
	const (
		yes  = provider.Signed
		hint = provider.Known
	)
	status := func(word string) []string { return []string{`"status": "paid"`, `"status": "` + word + `"`} }
	event := func(name string) []string { return []string{eventType, `"type": "` + name + `"`} }
	both := func(name, word string) []string { return append(event(name), status(word)...) }
	for _, c := range []struct {
		name     string
		changes  []string
		standing provider.Standing
		verdict  payment.Verdict
		foreign  bool // no id of ours
	}{
		{"the contract's", nil, yes, payment.SaysSuccessful, false},
		{"the contract's other name", event("payment_link.updated"), yes, payment.SaysSuccessful, false},
		{"created", both("payment_request.created", "active"), yes, payment.SaysPending, false},
		{"created, other name", both("payment_link.created", "active"), yes, payment.SaysPending, false},
		{"updated", event("payment_request.updated"), yes, payment.SaysSuccessful, false},
		{"updated, active", both("payment_request.updated", "active"), yes, payment.SaysPending, false},
		{"updated, expired", both("payment_request.updated", "expired"), yes, payment.SaysCancelled, false},
		{"updated, failed", both("payment_link.updated", "failed"), yes, payment.SaysFailed, false},
		{"updated, new word", both("payment_request.updated", "authorised"), yes, payment.SaysUnrecognised, false},
		{"updated, no word", append(event("payment_request.updated"), `"status"`, `"x"`), yes, payment.SaysNothing, false},
		{"paid, says active", status("active"), hint, payment.SaysPending, false},
		{"paid, says nothing", []string{`"status"`, `"x"`}, hint, payment.SaysSuccessful, false},
		{"paid without amount", []string{`"amount"`, `"x"`}, hint, payment.SaysSuccessful, false},
		{"paid in rands with cents", []string{`10000`, `100.00`}, hint, payment.SaysSuccessful, false},
		{"paid without currency", []string{`"currency"`, `"x"`}, hint, payment.SaysSuccessful, false},
		{"paid without reference", []string{`"external_reference"`, `"x"`}, hint, payment.SaysSuccessful, true},
		{"paid by another integration", []string{"INV-2024-001", "ORDER-1"}, hint, payment.SaysSuccessful, true},
		{"another event", event("payment.succeeded"), yes, payment.SaysNothing, false},
		{"an event of tomorrow", event("payment_request.refunded"), yes, payment.SaysNothing, false},
		{"short event id", []string{"evt_xyz987654321000001", "evt_1"}, yes, payment.SaysSuccessful, false},
		{"no event id", []string{`"id": "evt_xyz987654321000001",`, ""}, yes, payment.SaysSuccessful, false},
		{"event id of a kilobyte", []string{"evt_xyz987654321000001", strings.Repeat("e", 1024)}, yes, payment.SaysSuccessful, false},
		{"reference in capitals", []string{"INV-2024-001", strings.ToUpper(reference)}, yes, payment.SaysSuccessful, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := receiver(t).ParseCallback(signed(t, hook(t, c.changes...), newSecret, arrival))
			if err != nil {
				t.Fatal(err)
			}
			source := payment.FromSignedWebhook
			if c.standing != yes {
				source = payment.FromCallback
			}
			if got.Standing != c.standing || got.Evidence.Verdict != c.verdict || got.Evidence.Source != source || !got.Evidence.At.Equal(arrival) {
				t.Errorf("%+v", got)
			}
			ids := []string{reference}
			if c.foreign {
				ids = nil
			}
			if diff := cmp.Diff(ids, got.IDs); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"pr_6phg74i4jG9wbzZbFDUQB", "p_42432fdsjdklfjh4523987"}, got.ProviderIDs); diff != "" {
				t.Error(diff)
			}
		})
	}
	c, err := receiver(t).ParseCallback(signed(t, hook(t), newSecret, arrival))
	want := provider.Callback{
		IDs: []string{reference}, ProviderIDs: []string{"pr_6phg74i4jG9wbzZbFDUQB", "p_42432fdsjdklfjh4523987"},
		Standing: provider.Signed, Type: "payment_request.paid",
		Evidence: payment.Evidence{
			Source: payment.FromSignedWebhook, Verdict: payment.SaysSuccessful, Reference: reference, Amount: "100.00", Currency: "ZAR", Code: "paid",
			FinancialTransactionID: "p_42432fdsjdklfjh4523987", At: arrival,
			Particulars: payment.Particulars{
				IDs:          map[string]string{"id": "pr_6phg74i4jG9wbzZbFDUQB", "payment_id": "p_42432fdsjdklfjh4523987", "checkout_session_id": "chk_G9wbzZbFDUQBFAE"},
				Instructions: map[string]string{"link": "https://links.momentpay.io/G9wbzZbFDUQBFAE"},
				ExpiresAt:    time.Date(2025, 6, 17, 10, 30, 0, 0, time.UTC),
			},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// An expiry keeps a payment open: one that is absurd is none.
	c, err = receiver(t).ParseCallback(signed(t, hook(t, "2025-06-17T10:30:00Z", "9999-01-01T00:00:00Z"), newSecret, arrival))
	if err != nil || !c.Evidence.ExpiresAt.IsZero() || c.Standing != provider.Signed {
		t.Errorf("%+v, %v", c, err)
	}
}

const eventType = `"type": "payment_request.paid"`

// TestUnreadable: what is signed and means nothing.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty": "{}", "null": "null", "no JSON": "paid", "no data": `{"type":"payment_request.paid"}`, "no type": `{"data":{"id":"pr_1"}}`,
		"data is text": `{"type":"payment_request.paid","data":"x"}`, "data without id": `{"type":"payment_request.paid","data":{}}`,
		"status twice":      hook(t, `"status": "paid"`, `"status": "active", "status": "paid"`),
		"data twice":        hook(t, `"data":`, `"data": {}, "data":`),
		"two bodies":        hook(t) + hook(t),
		"more than 64 KiB":  hook(t, "Product purchase", strings.Repeat("x", 64<<10)),
		"id from elsewhere": hook(t, "pr_6phg74i4jG9wbzZbFDUQB", "pr_1/../x"),
	} {
		c, err := receiver(t).ParseCallback(signed(t, body, newSecret, arrival))
		if !errors.Is(err, provider.ErrCallback) || errors.Is(err, provider.ErrSignature) || c.Standing != provider.Signed || c.Evidence.Verdict != "" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	c, err := receiver(t).ParseCallback(signed(t, `{"type":"something.new"}`, newSecret, arrival))
	if err != nil || c.Evidence.Verdict != payment.SaysNothing || c.Standing != provider.Signed {
		t.Errorf("an unknown event without data: %+v, %v", c, err)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	p, body := receiver(t), hook(t)
	with := func(in provider.Inbound, name, value string) provider.Inbound {
		old := in.Header
		in.Header = func(n string) string {
			if strings.EqualFold(n, name) {
				return value
			}
			return old(n)
		}
		return in
	}
	good := signed(t, body, newSecret, arrival)
	other := signed(t, body, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", arrival)
	none := good
	none.Header = nil
	space := good
	space.Body = []byte(body + " ")
	for _, c := range []struct {
		name string
		in   provider.Inbound
		good bool
	}{
		{"new secret", good, true},
		{"old secret", signed(t, body, oldSecret, arrival), true},
		{"another secret", other, false},
		{"three minutes old", signed(t, body, newSecret, arrival.Add(-3*time.Minute)), true},
		{"older", signed(t, body, newSecret, arrival.Add(-3*time.Minute-time.Second)), false},
		{"three minutes early", signed(t, body, newSecret, arrival.Add(3*time.Minute)), true},
		{"earlier", signed(t, body, newSecret, arrival.Add(3*time.Minute+time.Second)), false},
		{"one of several", with(good, "webhook-signature", other.Header("webhook-signature")+" v1a,AAAA "+good.Header("webhook-signature")), true},
		{"none of several", with(good, "webhook-signature", other.Header("webhook-signature")+" v1a,AAAA "+other.Header("webhook-signature")), false},
		{"no header", none, false},
		{"no signature", with(good, "webhook-signature", ""), false},
		{"no time", with(good, "webhook-timestamp", ""), false},
		{"no id", with(good, "webhook-id", ""), false},
		{"another id", with(good, "webhook-id", "evt_2"), false},
		{"another time", with(good, "webhook-timestamp", unix(arrival.Add(time.Second))), false},
		{"a space more", space, false},
	} {
		got, err := p.ParseCallback(c.in)
		if c.good != (err == nil) || !c.good && (!errors.Is(err, provider.ErrSignature) || got.Standing != provider.Anonymous || got.IDs != nil) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}

// TestTampered: ten thousand webhooks of the stand-in, each changed in one
// place or signed by somebody else, and none is taken for MomentPay's.
func TestTampered(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, momentstand.Options{Options: core.Options{Seed: 1, Now: func() time.Time { return arrival }}})
	p := newProvider(t, config("http://127.0.0.1:1"), &http.Client{Transport: s.RoundTripper()}, func() time.Time { return arrival })
	pay := fixed(momentpay.MethodLink)
	p.Submit(t.Context(), pay, "")
	rng := rand.New(rand.NewPCG(1, 2))
	refused, names := 0, []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
	for i := range 10_000 {
		x := core.Notice{Kind: []string{"paid", "updated", "created"}[i%3], Status: "paid"}
		if forgeries := momentstand.Forgeries(); i%7 < len(forgeries) {
			x.Forged = forgeries[i%7]
		}
		w, err := s.Compose(reference, x)
		if err != nil {
			t.Fatal(err)
		}
		if x.Forged == "" {
			if name := names[i%3]; i%2 == 0 {
				w.Header.Set(name, flip(rng, w.Header.Get(name)))
			} else {
				w.Body = []byte(flip(rng, string(w.Body)))
			}
		}
		c, err := p.ParseCallback(provider.Inbound{Header: w.Header.Get, Body: w.Body, At: arrival})
		if !errors.Is(err, provider.ErrSignature) || c.Evidence.Verdict != "" {
			t.Fatalf("%+v, %v: %v %s", c, err, w.Header, w.Body)
		}
		refused++
	}
	w, err := s.Compose(reference, core.Notice{Status: "paid"})
	if c, parseErr := p.ParseCallback(provider.Inbound{Header: w.Header.Get, Body: w.Body, At: arrival}); err != nil || parseErr != nil || c.Evidence.Verdict != payment.SaysSuccessful {
		t.Errorf("the true one: %+v, %v, %v", c, err, parseErr)
	}
	t.Logf("%d refused", refused)
}

// flip changes one character, adds one or takes one away.
func flip(rng *rand.Rand, s string) string {
	i := rng.IntN(len(s))
	switch rng.IntN(3) {
	case 0:
		return s[:i] + s[i+1:]
	case 1:
		return s[:i] + "0" + s[i:]
	}
	c := byte('0')
	if s[i] == c {
		c = '1'
	}
	return s[:i] + string(c) + s[i+1:]
}

// TestDuplicates: a webhook that comes again, in whatever order and signed
// anew, changes nothing the second time, and no announcement is made twice.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	pol := momentpay.Registration.Offline().Capabilities().Method("link").Policy
	body := func(changes ...string) string { return hook(t, append(changes, "10000", "15000")...) }
	created := body(eventType, `"type": "payment_request.created"`, `"status": "paid"`, `"status": "active"`)
	updated := body(eventType, `"type": "payment_request.updated"`)
	paid := body()
	for _, order := range [][]string{
		{paid, paid}, {created, paid, paid, updated}, {paid, created, updated, paid}, {updated, updated, created, paid},
	} {
		pay := fixed(momentpay.MethodLink)
		var events []payment.Event
		for i, b := range order {
			at := arrival.Add(time.Duration(i) * time.Minute) // a retry has a new time
			in := signed(t, b, newSecret, at)
			in.At = at
			c, err := receiver(t).ParseCallback(in)
			if err != nil {
				t.Fatal(err)
			}
			first := payment.Decide(pay, c.Evidence, pol)
			again := payment.Decide(first.Payment, c.Evidence, pol)
			if again.Changed || again.Confirm || len(again.Events) > 0 || again.Anomaly != "" {
				t.Errorf("the same again: %+v", again)
			}
			pay, events = first.Payment, append(events, first.Events...)
		}
		if diff := cmp.Diff([]payment.Event{payment.EventSuccessful}, events); diff != "" || pay.Sequence != 1 {
			t.Errorf("sequence %d: %s", pay.Sequence, diff)
		}
	}
	// One that says another amount holds the payment and ends nothing.
	c, err := receiver(t).ParseCallback(signed(t, hook(t), newSecret, arrival))
	if err != nil {
		t.Fatal(err)
	}
	if d := payment.Decide(fixed(momentpay.MethodLink), c.Evidence, pol); d.Payment.Phase != payment.PhaseHeld || len(d.Events) > 0 {
		t.Errorf("%+v", d)
	}
}
