package providertest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

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
	p := c.Policy
	for name, d := range map[string]int64{
		"FirstCheck": int64(p.FirstCheck), "MaxInterval": int64(p.MaxInterval), "Window": int64(p.Window),
		"LateInterval": int64(p.LateInterval), "GiveUp": int64(p.GiveUp),
		"NotFoundGrace": int64(p.NotFoundGrace), "NotFoundSpacing": int64(p.NotFoundSpacing),
		"MinPollInterval": int64(c.MinPollInterval),
	} {
		if d <= 0 {
			t.Errorf("%s is not positive", name)
		}
	}
	if c.StatusSpacing < 0 {
		t.Error("StatusSpacing is negative")
	}
	if p.GiveUp < p.Window || p.FirstCheck > p.MaxInterval {
		t.Errorf("policy contradicts itself: %+v", p)
	}
	if c.CheckText == nil {
		t.Fatal("no CheckText")
	}
	for _, text := range []string{"", "Order 12345", "Invoice 7, 2026-09"} {
		if why := c.CheckText(text); why != "" {
			t.Errorf("CheckText(%q) = %q", text, why)
		}
	}
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
	if a.Evidence.Verdict != payment.SaysAccepted || !a.Attempted || a.LikelyDuplicate {
		t.Errorf("answer to a plain submit: %+v", a)
	}
	if n := s.Charges(p.Reference); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// repeat: a second Submit of the same payment, as after a crash.
func repeat(t *testing.T, s Stand) {
	p := s.NewPayment()
	submitted(t, s, p)
	a := submitted(t, s, p)
	if a.Evidence.Verdict != payment.SaysAccepted && a.Evidence.Verdict != payment.SaysNothing {
		t.Errorf("the second submit of a payment says %q", a.Evidence.Verdict)
	}
	if n := s.Charges(p.Reference); n != 1 {
		t.Errorf("%d charges", n)
	}
}

func concurrent(t *testing.T, s Stand) {
	var wg sync.WaitGroup
	for range 16 {
		p := s.NewPayment()
		wg.Go(func() {
			if a := submitted(t, s, p); a.Evidence.Verdict != payment.SaysAccepted {
				t.Errorf("submit: %+v", a.Evidence)
			}
			s.End(p.Reference, Successful)
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
		submitted(t, s, p)
		s.End(p.Reference, c.end)
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
	if a := asked(t, s, s.NewPayment()); a.Evidence.Verdict != payment.SaysNotFound && a.Evidence.Verdict != payment.SaysNothing {
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
		for _, body := range s.Callbacks(p, end) {
			c, err := s.Provider.ParseCallback(body)
			if err != nil {
				t.Errorf("%s: %v", body, err)
				continue
			}
			if c.Evidence.Verdict != verdict {
				t.Errorf("%s: verdict %q, want %q", body, c.Evidence.Verdict, verdict)
			}
			if c.Evidence.Source != payment.FromCallback {
				t.Errorf("%s: source %q, and a callback is a hint", body, c.Evidence.Source)
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
		c, err := s.Provider.ParseCallback([]byte(body))
		if !errors.Is(err, provider.ErrCallback) {
			t.Errorf("ParseCallback(%.40q) = %+v, %v; want ErrCallback", body, c, err)
		}
	}
	if _, err := s.Provider.ParseCallback(nil); !errors.Is(err, provider.ErrCallback) {
		t.Errorf("ParseCallback(nil): %v", err)
	}
}
