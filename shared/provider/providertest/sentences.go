package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

func capabilities(t *testing.T, s Stand) {
	c := s.Provider.Capabilities()
	if c.Name == "" || strings.ToLower(c.Name) != c.Name {
		t.Errorf("name %q is not a lower-case word", c.Name)
	}
	if _, ok := payment.Exponent(c.Currency); !ok {
		t.Errorf("currency %q is unknown", c.Currency)
	}
	if len(c.Methods) == 0 {
		t.Fatal("no method")
	}
	named := map[string]bool{}
	for _, m := range c.Methods {
		if named[m.Name] || m.Name == "" && len(c.Methods) > 1 {
			t.Errorf("method %q: every one of several has a name of its own", m.Name)
		}
		named[m.Name] = true
		method(t, m)
	}
	if c.DefaultMethod != "" && !named[c.DefaultMethod] {
		t.Errorf("default method %q is none", c.DefaultMethod)
	}
	for name, l := range map[string]provider.Limit{"Submits": c.Submits, "Statuses": c.Statuses} {
		if l.Every < 0 || l.Burst < 0 {
			t.Errorf("limit %s is negative", name)
		}
	}
}

func method(t *testing.T, m provider.Method) {
	t.Helper()
	p := m.Policy
	for name, d := range map[string]int64{
		"FirstCheck": int64(p.FirstCheck), "MaxInterval": int64(p.MaxInterval), "Window": int64(p.Window),
		"LateInterval": int64(p.LateInterval), "GiveUp": int64(p.GiveUp),
		"NotFoundGrace": int64(p.NotFoundGrace), "NotFoundSpacing": int64(p.NotFoundSpacing),
		"MinPollInterval": int64(m.MinPollInterval),
	} {
		if d <= 0 {
			t.Errorf("method %q: %s is not positive", m.Name, name)
		}
	}
	if p.GiveUp < p.Window || p.FirstCheck > p.MaxInterval {
		t.Errorf("method %q: policy contradicts itself: %+v", m.Name, p)
	}
}

// known is the payment with what the answer tells about it, as the ledger
// will keep it.
func known(p payment.Payment, a provider.Answer) payment.Payment {
	return payment.Decide(p, a.Evidence, payment.Policy{FirstCheck: 1, MaxInterval: 1, Window: 1 << 62, GiveUp: 1 << 62, LateInterval: 1}).Payment
}

func ready(t *testing.T, s Stand) {
	within(t, func(ctx context.Context) {
		for range 2 {
			if err := s.Provider.Ready(ctx); err != nil {
				t.Errorf("Ready: %v", err)
			}
		}
	})
	if n := s.Calls(); n != 0 {
		t.Errorf("Ready made %d calls other than for a token", n)
	}
}

func submit(t *testing.T, s Stand) {
	p := s.NewPayment()
	a := submitted(t, s, p)
	if a.Evidence.Verdict != payment.SaysAccepted || !a.Attempted {
		t.Errorf("answer to a plain submit: %+v", a)
	}
	if n := s.Charges(known(p, a)); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// repeat: a second Submit of the same payment, as after a crash.
func repeat(t *testing.T, s Stand) {
	if !s.Idempotent {
		t.Log("untested: the provider cannot tell a repeat")
		return
	}
	p := s.NewPayment()
	submitted(t, s, p)
	a := submitted(t, s, p)
	if a.Evidence.Verdict != payment.SaysAccepted && a.Evidence.Verdict != payment.SaysNothing {
		t.Errorf("the second submit of a payment says %q", a.Evidence.Verdict)
	}
	if n := s.Charges(p); n != 1 {
		t.Errorf("%d charges", n)
	}
}

func concurrent(t *testing.T, s Stand) {
	var wg sync.WaitGroup
	for range 16 {
		p := s.NewPayment()
		wg.Go(func() {
			a := submitted(t, s, p)
			if a.Evidence.Verdict != payment.SaysAccepted {
				t.Errorf("submit: %+v", a.Evidence)
			}
			p := known(p, a)
			s.End(p, Successful)
			if a := asked(t, s, p); a.Evidence.Verdict != payment.SaysSuccessful {
				t.Errorf("status: %+v", a.Evidence)
			}
		})
	}
	wg.Wait()
}

func status(t *testing.T, s Stand) {
	for _, c := range []struct {
		end  Ending
		want payment.Verdict
	}{{Open, payment.SaysPending}, {Successful, payment.SaysSuccessful}, {Failed, payment.SaysFailed}} {
		p := s.NewPayment()
		p = known(p, submitted(t, s, p))
		s.End(p, c.end)
		a := asked(t, s, p)
		if a.Evidence.Verdict != c.want {
			t.Errorf("%s: verdict %q", c.end, a.Evidence.Verdict)
		}
		reportsOf(t, p, a.Evidence)
		if c.end == Successful && a.Evidence.FinancialTransactionID == "" {
			t.Error("a success without the provider's transaction id")
		}
		if c.end == Failed && a.Evidence.Code == "" {
			t.Error("a failure without a code")
		}
	}
	// Where the provider tells a repeat, asking may be submitting again.
	p := s.NewPayment()
	switch a := asked(t, s, p); a.Evidence.Verdict {
	case payment.SaysNotFound, payment.SaysNothing, payment.SaysUnanswerable:
	case payment.SaysPending:
		if n := s.Charges(known(p, a)); n != 1 || !s.Idempotent {
			t.Errorf("a payment that was never sent is pending; %d charges", n)
		}
	default:
		t.Errorf("a payment that was never sent: %+v", a.Evidence)
	}
}

// reportsOf: what evidence carries about p is equal to p.
func reportsOf(t *testing.T, p payment.Payment, e payment.Evidence) {
	t.Helper()
	if e.Amount != "" {
		if m, err := payment.ParseReported(e.Amount, p.Amount.Currency); err != nil || m != p.Amount {
			t.Errorf("reported amount %q is not %s", e.Amount, p.Amount)
		}
	}
	if e.Currency != "" && e.Currency != p.Amount.Currency {
		t.Errorf("reported currency %q is not %s", e.Currency, p.Amount.Currency)
	}
	if e.Payer != "" && e.Payer != string(p.Payer) {
		t.Errorf("reported payer %q is not %s", e.Payer, p.Payer)
	}
}

func callback(t *testing.T, s Stand) {
	want := map[Ending]payment.Verdict{Open: payment.SaysPending, Successful: payment.SaysSuccessful, Failed: payment.SaysFailed}
	for end, verdict := range want {
		p := s.NewPayment()
		for _, in := range s.Callbacks(p, end) {
			body := in.Body
			c, err := s.Provider.ParseCallback(in)
			if err != nil {
				t.Errorf("%s: %v", body, err)
				continue
			}
			if c.Evidence.Verdict != verdict {
				t.Errorf("%s: verdict %q, want %q", body, c.Evidence.Verdict, verdict)
			}
			if source := sourceOf(c.Standing); c.Evidence.Source != source {
				t.Errorf("%s: source %q, of a callback that is %q", body, c.Evidence.Source, source)
			}
			if c.Evidence.At.IsZero() {
				t.Errorf("%s: evidence has no time", body)
			}
			reportsOf(t, p, c.Evidence)
		}
	}
}

func callbackGarbage(t *testing.T, s Stand) {
	for _, body := range []string{
		"", " ", "null", "true", "0", `"SUCCESSFUL"`, "[]", "{}", `[{"status":"SUCCESSFUL"}]`, "{", `{"a":`, "{]",
		"<html>SUCCESSFUL</html>", "status=SUCCESSFUL", "\x00", "\xff\xfe", `{"unknown":"field"}`,
		`{"a":"b"} {"a":"b"}`, strings.Repeat("[", 100_000), `{"a":` + strings.Repeat("[", 100_000),
		`{"a":"` + strings.Repeat("x", 2<<20) + `"}`,
	} {
		c, err := s.Provider.ParseCallback(provider.Inbound{Body: []byte(body), At: time.Now()})
		if !errors.Is(err, provider.ErrCallback) && !errors.Is(err, provider.ErrSignature) {
			t.Errorf("ParseCallback(%.40q) = %+v, %v; want ErrCallback or ErrSignature", body, c, err)
		}
	}
	if _, err := s.Provider.ParseCallback(provider.Inbound{}); err == nil {
		t.Error("ParseCallback of nothing: no error")
	}
}

// sourceOf: only a signature makes evidence of a callback.
func sourceOf(st provider.Standing) payment.Source {
	if st == provider.Signed {
		return payment.FromSignedWebhook
	}
	return payment.FromCallback
}

// forged: what lacks the provider's secret is refused, or anonymous.
func forged(t *testing.T, s Stand) {
	if s.Forged == nil {
		t.Log("untested: the provider's callbacks carry no secret")
		return
	}
	for _, end := range []Ending{Open, Successful, Failed} {
		for _, in := range s.Forged(s.NewPayment(), end) {
			c, err := s.Provider.ParseCallback(in)
			if errors.Is(err, provider.ErrSignature) {
				continue
			}
			if c.Standing != provider.Anonymous || err == nil && c.Evidence.Source != payment.FromCallback {
				t.Errorf("%s: %+v, %v", in.Body, c, err)
			}
		}
	}
}

// native: what is written can be read again as what it says, and a callback
// that says something else is not passed on.
func native(t *testing.T, s Stand) {
	p := s.NewPayment()
	p = known(p, submitted(t, s, p))
	for event, end := range map[payment.Event]Ending{payment.EventSuccessful: Successful, payment.EventFailed: Failed} {
		p := p
		p.Status = payment.Failed
		if end == Successful {
			p.Status = payment.Successful
		}
		own := s.Provider.Native(p, event, nil)
		if !json.Valid(own) {
			t.Fatalf("%s: wrote %q", event, own)
		}
		for _, other := range []Ending{Open, Successful, Failed} {
			for _, in := range s.Callbacks(p, other) {
				got := string(s.Provider.Native(p, event, in.Body))
				if got != string(in.Body) && got != string(own) {
					t.Errorf("%s after %s: neither passed on nor written anew: %s", event, in.Body, got)
				}
				if got == string(in.Body) && other != end && got != string(own) {
					t.Errorf("%s: passed on %s", event, in.Body)
				}
			}
		}
	}
}
