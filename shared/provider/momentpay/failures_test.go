package momentpay

import (
	"testing"

	"momoproxy/shared/provider/providertest"
)

// No documented word is left out.
func TestFailures(t *testing.T) {
	t.Parallel()
	providertest.Failures(t, failures, decisions, codeInvalid, "expired", "failed")
}
