package mtn

import (
	"testing"

	"momoproxy/shared/provider/providertest"
)

// No documented reason is left out: the 17 of the portal's ErrorReason schema,
// and those that only MTN's posts name.
func TestFailures(t *testing.T) {
	t.Parallel()
	providertest.Failures(t, failures, decisions,
		"PAYEE_NOT_FOUND", "PAYER_NOT_FOUND", "NOT_ALLOWED", "NOT_ALLOWED_TARGET_ENVIRONMENT", "INVALID_CALLBACK_URL_HOST", "INVALID_CURRENCY",
		"SERVICE_UNAVAILABLE", "INTERNAL_PROCESSING_ERROR", "NOT_ENOUGH_FUNDS", "PAYER_LIMIT_REACHED", "PAYEE_NOT_ALLOWED_TO_RECEIVE",
		"PAYMENT_NOT_APPROVED", "RESOURCE_NOT_FOUND", "APPROVAL_REJECTED", "EXPIRED", "TRANSACTION_CANCELED", "RESOURCE_ALREADY_EXIST",
		"COULD_NOT_PERFORM_TRANSACTION", "SENDER_ACCOUNT_NOT_ACTIVE", "TRANSACTION_NOT_FOUND")
}
