package mtn

import "momoproxy/shared/payment"

// failures is what MTN's reasons mean. Sources: the portal's ErrorReason schema
// has 17 of them, its posts 192 and 338 the next three. The status words that
// nobody has seen as a status (decisions.go) are the contract's.
var failures = payment.FailureCodes{
	"PAYER_NOT_FOUND":                payment.FailurePayerNotFound,
	"NOT_ENOUGH_FUNDS":               payment.FailureInsufficientBalance,
	"PAYER_LIMIT_REACHED":            payment.FailurePayerLimitReached,
	"PAYMENT_NOT_APPROVED":           payment.FailureNotApproved,
	"APPROVAL_REJECTED":              payment.FailureNotApproved,
	"EXPIRED":                        payment.FailureExpired,
	"TRANSACTION_CANCELED":           payment.FailureCancelled,
	"PAYEE_NOT_FOUND":                payment.FailureAccountRefused,
	"PAYEE_NOT_ALLOWED_TO_RECEIVE":   payment.FailureAccountRefused,
	"NOT_ALLOWED":                    payment.FailureAccountRefused,
	"NOT_ALLOWED_TARGET_ENVIRONMENT": payment.FailureAccountRefused,
	"INVALID_CALLBACK_URL_HOST":      payment.FailureAccountRefused,
	"INVALID_CURRENCY":               payment.FailureAccountRefused,
	"SERVICE_UNAVAILABLE":            payment.FailureUnavailable,
	// Mostly lack of funds (laravel-mtn-momo issue 81), but not said to be.
	"INTERNAL_PROCESSING_ERROR": payment.FailureUnspecified,
	// They answer a question or a repeat, and end no payment.
	"RESOURCE_NOT_FOUND":     payment.FailureNotReceived,
	"TRANSACTION_NOT_FOUND":  payment.FailureNotReceived,
	"RESOURCE_ALREADY_EXIST": payment.FailureUnspecified,

	"COULD_NOT_PERFORM_TRANSACTION": payment.FailureExpired, // no PIN within five minutes
	"SENDER_ACCOUNT_NOT_ACTIVE":     payment.FailurePayerNotActive,

	"REJECTED":  payment.FailureNotApproved,
	"CANCELLED": payment.FailureCancelled,
	"CANCELED":  payment.FailureCancelled,
	"FAILED":    payment.FailureUnspecified,

	codeForbiddenIP: payment.FailureAccountRefused,
	CodeCredentials: payment.FailureAccountRefused,
}
