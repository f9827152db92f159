package providertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// faults walks what can go wrong. Whatever happens, submitted has checked
// that nothing is charged twice and that nothing refused was charged.
func faults(t *testing.T, h Harness) {
	const (
		nothing  = payment.SaysNothing
		accepted = payment.SaysAccepted
		refused  = payment.SaysRefused
		notFound = payment.SaysNotFound
	)
	for _, c := range []struct {
		name  string
		how   []Behaviour
		allow []payment.Verdict
	}{
		{"refused", []Behaviour{Refuses}, []payment.Verdict{refused}},
		{"reset before", []Behaviour{ResetsBefore}, []payment.Verdict{nothing}},
		{"reset before, then works", []Behaviour{ResetsBefore, Works}, []payment.Verdict{nothing, accepted}},
		{"reset after", []Behaviour{ResetsAfter}, []payment.Verdict{nothing, accepted}},
		{"reset after, then works", []Behaviour{ResetsAfter, Works}, []payment.Verdict{nothing, accepted}},
		{"reset after, then refuses", []Behaviour{ResetsAfter, Refuses}, []payment.Verdict{nothing, accepted}},
		{"reset before, then refuses", []Behaviour{ResetsBefore, Refuses}, []payment.Verdict{nothing}},
		{"hangs before", []Behaviour{HangsBefore}, []payment.Verdict{nothing}},
		{"hangs after", []Behaviour{HangsAfter}, []payment.Verdict{nothing, accepted}},
		{"hangs after, then works", []Behaviour{HangsAfter, Works}, []payment.Verdict{nothing, accepted}},
		{"hangs after, then refuses", []Behaviour{HangsAfter, Refuses}, []payment.Verdict{nothing, accepted}},
		{"hangs after, then credentials", []Behaviour{HangsAfter, RefusesCredentials}, []payment.Verdict{nothing, accepted}},
		{"fails", []Behaviour{Fails}, []payment.Verdict{nothing}},
		{"fails, then works", []Behaviour{Fails, Works}, []payment.Verdict{nothing, accepted}},
		{"fails after", []Behaviour{FailsAfter}, []payment.Verdict{nothing, accepted}},
		{"fails after, then refuses", []Behaviour{FailsAfter, Refuses}, []payment.Verdict{nothing, accepted}},
		{"nonsense", []Behaviour{Nonsense}, []payment.Verdict{nothing}},
		{"truncates", []Behaviour{Truncates}, []payment.Verdict{nothing, accepted}},
		{"endless", []Behaviour{Endless}, []payment.Verdict{nothing}},
		{"gateway page", []Behaviour{NobodyHome}, []payment.Verdict{nothing}},
		{"forgets", []Behaviour{Forgets}, []payment.Verdict{nothing}},
	} {
		t.Run("submit "+c.name, func(t *testing.T) {
			t.Parallel()
			s := h(t, attemptFor(c.how, impatient))
			if !able(t, s, c.how...) {
				return
			}
			one(t, submitted(t, s, s.NewPayment()), c.allow)
		})
	}

	for _, c := range []struct {
		how   Behaviour
		allow []payment.Verdict
	}{
		{ResetsBefore, []payment.Verdict{nothing}},
		{HangsBefore, []payment.Verdict{nothing}},
		{Fails, []payment.Verdict{nothing}},
		{Nonsense, []payment.Verdict{nothing}},
		{Truncates, []payment.Verdict{nothing}},
		{Endless, []payment.Verdict{nothing}},
		{NobodyHome, []payment.Verdict{nothing}},
		{Forgets, []payment.Verdict{notFound}},
		{StrangeWord, []payment.Verdict{payment.SaysUnrecognised}},
		{OtherPayment, []payment.Verdict{nothing}},
		{RefusesCredentials, []payment.Verdict{nothing}},
		{Unreachable, []payment.Verdict{nothing}},
	} {
		t.Run("status "+string(c.how), func(t *testing.T) {
			t.Parallel()
			s := h(t, attemptFor([]Behaviour{c.how}, patient))
			p := s.NewPayment()
			p = known(p, submitted(t, s, p))
			s.End(p, Successful)
			if !able(t, s, c.how) {
				return
			}
			one(t, asked(t, s, p), c.allow)
		})
	}

	for how, want := range map[Behaviour]error{
		RefusesCredentials: provider.ErrCredentials,
		Unreachable:        provider.ErrUnavailable,
	} {
		t.Run("no way in: "+string(how), func(t *testing.T) {
			t.Parallel()
			s := h(t, attemptTime)
			if s.Tokenless {
				t.Log("untested: the keys go with each request")
				return
			}
			if !able(t, s, how) {
				return
			}
			var err error
			within(t, func(ctx context.Context) { err = s.Provider.Ready(ctx) })
			if !errors.Is(err, want) || errors.Is(err, provider.ErrCredentials) == errors.Is(err, provider.ErrUnavailable) {
				t.Errorf("Ready: %v, want %v", err, want)
			}
			if a := submitted(t, s, s.NewPayment()); a.Attempted {
				t.Errorf("attempted without a way to: %+v", a)
			}
			if n := s.Calls(); n != 0 {
				t.Errorf("%d calls went out", n)
			}
		})
	}

	t.Run("connection lost after the token", func(t *testing.T) {
		t.Parallel()
		s := h(t, attemptTime)
		within(t, func(ctx context.Context) {
			if err := s.Provider.Ready(ctx); err != nil {
				t.Fatal(err)
			}
		})
		if able(t, s, Unreachable) {
			one(t, submitted(t, s, s.NewPayment()), []payment.Verdict{nothing})
		}
	})
}

func one(t *testing.T, a provider.Answer, allow []payment.Verdict) {
	t.Helper()
	for _, v := range allow {
		if a.Evidence.Verdict == v || v == payment.SaysNothing && unknown(a.Evidence.Verdict) {
			return
		}
	}
	t.Errorf("verdict %q (%s %s), want one of %q", a.Evidence.Verdict, a.Evidence.Code, a.Evidence.Reason, allow)
}

// unknown says whether nothing is known after such an answer.
func unknown(v payment.Verdict) bool {
	return v == payment.SaysNothing || v == payment.SaysUnanswerable
}

// deadlines: a call ends with its context, and one that has ended before
// asks for nothing.
func deadlines(t *testing.T, h Harness) {
	t.Run("ended before", func(t *testing.T) {
		t.Parallel()
		s := h(t, attemptTime)
		p := s.NewPayment()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if a := s.Provider.Submit(ctx, p, s.CallbackURL); !unknown(a.Evidence.Verdict) {
			t.Errorf("submit: %+v", a)
		}
		if a := s.Provider.Status(ctx, p); !unknown(a.Evidence.Verdict) {
			t.Errorf("status: %+v", a)
		}
		if err := s.Provider.Ready(ctx); err == nil && !s.Tokenless {
			t.Error("Ready without a token is nil under an ended context")
		}
		if n := s.Charges(p); n != 0 {
			t.Errorf("%d charges", n)
		}
	})
	t.Run("ends during", func(t *testing.T) {
		t.Parallel()
		s := h(t, attemptTime)
		p := s.NewPayment()
		within(t, func(ctx context.Context) {
			if err := s.Provider.Ready(ctx); err != nil {
				t.Fatal(err)
			}
		})
		if !able(t, s, HangsAfter) {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), patient)
		defer cancel()
		begin := time.Now()
		if a := s.Provider.Submit(ctx, p, s.CallbackURL); !unknown(a.Evidence.Verdict) || !a.Attempted {
			t.Errorf("submit: %+v", a)
		}
		if took := time.Since(begin); took > grace {
			t.Errorf("came back after %s, with a deadline of %s", took, patient)
		}
	})
}

// exchanges: every attempt is there, without secrets (sound has looked).
func exchanges(t *testing.T, h Harness) {
	for _, how := range [][]Behaviour{{Works}, {Echoes}, {Endless}, {Fails, Works}, {RefusesCredentials}} {
		t.Run(string(how[0]), func(t *testing.T) {
			t.Parallel()
			s := h(t, attemptTime)
			if !able(t, s, how...) {
				return
			}
			p := s.NewPayment()
			a := submitted(t, s, p)
			b := asked(t, s, known(p, a))
			if got := len(a.Exchanges) + len(b.Exchanges); got < s.Calls() {
				t.Errorf("%d exchanges for %d calls", got, s.Calls())
			}
		})
	}
}
