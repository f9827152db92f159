package payment_test

import (
	"testing"
	"unicode/utf8"

	"momoproxy/shared/payment"
)

// Every ending but a success has a failure code, and a success has none.
func TestFailureCode(t *testing.T) {
	t.Parallel()
	codes := payment.FailureCodes{"NO_MONEY": payment.FailureInsufficientBalance}
	for name, c := range map[string]struct {
		evidence payment.Evidence
		want     payment.FailureCode
	}{
		"a known code":            {payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysFailed, Code: "NO_MONEY"}, payment.FailureInsufficientBalance},
		"in lower case":           {payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysFailed, Code: "no_money"}, payment.FailureInsufficientBalance},
		"an unknown code":         {payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysFailed, Code: "NEW"}, payment.FailureUnspecified},
		"no code":                 {payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysFailed}, payment.FailureUnspecified},
		"cancelled":               {payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysCancelled}, payment.FailureCancelled},
		"our account":             {payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: "NO_MONEY", AccountFault: true}, payment.FailureAccountRefused},
		"never sent":              {payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: payment.ReasonNotSent}, payment.FailureUnavailable},
		"the operator":            {payment.Evidence{Source: payment.FromOperator, Verdict: payment.SaysFailed, Code: "NO_MONEY"}, payment.FailureByOperator},
		"a success has no reason": {payment.Evidence{Source: payment.FromOperator, Verdict: payment.SaysSuccessful, Code: "NO_MONEY"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := payment.Payment{Status: payment.Pending, Phase: payment.PhaseAwaitingPayer}
			got := payment.Decide(p, c.evidence, payment.Policy{Failures: codes, Window: 1 << 60}).Payment
			if got.FailureCode != c.want || got.Open() {
				t.Errorf("%s with %q, want %q", got.Status, got.FailureCode, c.want)
			}
		})
	}
}

// Each code is explained, once and in each language.
func TestFailuresAreExplained(t *testing.T) {
	t.Parallel()
	seen := map[payment.FailureCode]bool{}
	for _, f := range payment.Failures {
		if seen[f.Code] {
			t.Errorf("%s stands twice", f.Code)
		}
		seen[f.Code] = true
		for _, text := range []string{f.Meaning, f.English, f.Portuguese, f.French} {
			if n := utf8.RuneCountInString(text); n < 20 || n > 160 || text[len(text)-1] != '.' {
				t.Errorf("%s: %q", f.Code, text)
			}
		}
		if got, ok := payment.FailureOf(f.Code); !ok || got != f {
			t.Errorf("%s is not found", f.Code)
		}
	}
	if len(seen) != 14 {
		t.Errorf("%d codes are explained", len(seen))
	}
}
