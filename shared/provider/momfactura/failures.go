package momfactura

import (
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// failures is what Mom Factura's codes and status words mean; see decisions.go
// for where each is documented.
var failures = payment.FailureCodes{
	"INSUFFICIENT_BALANCE": payment.FailureInsufficientBalance,
	"INVALID_NUMBER":       payment.FailurePayerNotFound,
	"REJECTED":             payment.FailureNotApproved, // a code of MCX and a status word
	"REFUSED":              payment.FailureNotApproved,
	"EXPIRED":              payment.FailureExpired,
	"CANCELLED":            payment.FailureCancelled,
	"CANCELED":             payment.FailureCancelled,
	"FAILED":               payment.FailureUnspecified,

	"INVALID_AMOUNT":  payment.FailureRequestRefused,
	"AMOUNT_MISMATCH": payment.FailureRequestRefused,
	"MISSING_PHONE":   payment.FailureRequestRefused,

	"RATE_LIMIT_EXCEEDED":         payment.FailureUnavailable,
	"PAYMENT_RATE_LIMIT_EXCEEDED": payment.FailureUnavailable,
	provider.CodeLimitSpent:       payment.FailureUnavailable,

	"MISSING_API_KEY":           payment.FailureAccountRefused,
	"INVALID_API_KEY":           payment.FailureAccountRefused,
	"DOMAIN_NOT_ALLOWED":        payment.FailureAccountRefused,
	"MISSING_RESTAURANT_ID":     payment.FailureAccountRefused,
	"INSTANT_WITHDRAW_REQUIRED": payment.FailureAccountRefused,
	provider.CodeCredentials:    payment.FailureAccountRefused,

	// Documented, and they end no payment: INTERNAL_ERROR proves
	// nothing, and INVOICE_NOT_FOUND says that there is no invoice.
	"INTERNAL_ERROR":    payment.FailureUnspecified,
	"INVOICE_NOT_FOUND": payment.FailureUnspecified,
}
