package providertest

import (
	"slices"
	"strings"
	"testing"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Failures holds what a provider's codes mean: every documented code has a
// meaning that is explained, and so has every row of the decision table that
// ends a payment otherwise than successfully.
func Failures(t *testing.T, codes payment.FailureCodes, decisions provider.Decisions, documented ...string) {
	t.Helper()
	for _, r := range decisions {
		ending, ends := r.Verdict.Ending()
		if ends && ending != payment.Successful && r.Code != "" && r.Code != provider.AnyCode && !r.AccountFault {
			documented = append(documented, r.Code)
		}
		if code := codes[strings.ToUpper(r.Code)]; code != "" && r.AccountFault && code != payment.FailureAccountRefused {
			t.Errorf("%s is a fault of our account, and means %s", r.Code, code)
		}
	}
	for _, code := range documented {
		if _, known := codes[strings.ToUpper(code)]; !known {
			t.Errorf("%s has no meaning", code)
		}
	}
	for code, means := range codes {
		if _, explained := payment.FailureOf(means); !explained || code != strings.ToUpper(code) {
			t.Errorf("%s means %q, which nothing explains, or is not in upper case", code, means)
		}
	}
	if !slices.ContainsFunc(documented, func(code string) bool { return codes[strings.ToUpper(code)] != payment.FailureUnspecified }) {
		t.Error("nothing is told apart")
	}
}
