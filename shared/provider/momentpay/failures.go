package momentpay

import (
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// failures is what MomentPay's codes and status words mean. It documents no
// reason why a payment failed.
var failures = payment.FailureCodes{
	strings.ToUpper(codeInvalid): payment.FailureRequestRefused,
	"EXPIRED":                    payment.FailureExpired,
	"FAILED":                     payment.FailureUnspecified,
	provider.CodeCredentials:     payment.FailureAccountRefused,
}
