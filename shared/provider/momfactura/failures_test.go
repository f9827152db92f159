package momfactura

import (
	"testing"

	"momoproxy/shared/provider/providertest"
)

// No documented code is left out: those of the skill's error page, and what the
// SDK adds.
func TestFailures(t *testing.T) {
	t.Parallel()
	providertest.Failures(t, failures, decisions,
		"MISSING_API_KEY", "INVALID_API_KEY", "DOMAIN_NOT_ALLOWED", "INVALID_AMOUNT", "AMOUNT_MISMATCH", "INSTANT_WITHDRAW_REQUIRED",
		"MISSING_PHONE", "MISSING_RESTAURANT_ID", "RATE_LIMIT_EXCEEDED", "PAYMENT_RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR", "INVOICE_NOT_FOUND",
		"insufficient_balance", "rejected", "invalid_number")
}
