package momfactura

import (
	"net/http"
	"strconv"
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// codes are the error codes that prove that nothing was charged, with what
// they say. The first group is documented (skill); HTTP numbers are given for
// one of them only, so the code decides. INTERNAL_ERROR is documented too and
// missing on purpose: it proves nothing.
var codes = map[string]payment.Verdict{
	"MISSING_API_KEY":             payment.SaysRefused,
	"INVALID_API_KEY":             payment.SaysRefused,
	"DOMAIN_NOT_ALLOWED":          payment.SaysRefused,
	"MISSING_RESTAURANT_ID":       payment.SaysRefused,
	"INVALID_AMOUNT":              payment.SaysRefused,
	"AMOUNT_MISMATCH":             payment.SaysRefused,
	"INSTANT_WITHDRAW_REQUIRED":   payment.SaysRefused,
	"MISSING_PHONE":               payment.SaysRefused,
	"RATE_LIMIT_EXCEEDED":         payment.SaysRefused,
	"PAYMENT_RATE_LIMIT_EXCEEDED": payment.SaysRefused,

	// Not confirmed: the code for an MCX payer who cannot or will not pay is
	// published nowhere. These are the words of simulateResult (skill,
	// testing) and their likely spellings. Its "timeout" is missing on
	// purpose: the bank may have been slower than the provider's patience.
	"INSUFFICIENT_BALANCE": payment.SaysFailed,
	"INSUFFICIENT_FUNDS":   payment.SaysFailed,
	"REJECTED":             payment.SaysFailed,
	"PAYMENT_REJECTED":     payment.SaysFailed,
	"REFUSED":              payment.SaysFailed,
	"PAYMENT_REFUSED":      payment.SaysFailed,
	"DECLINED":             payment.SaysFailed,
	"PAYMENT_DECLINED":     payment.SaysFailed,
	"INVALID_NUMBER":       payment.SaysFailed,
	"INVALID_PHONE":        payment.SaysFailed,
	"INVALID_PHONE_NUMBER": payment.SaysFailed,
}

// credentialCodes are about our account: the key, the origins registered for
// it, or the merchant it belongs to.
var credentialCodes = map[string]bool{
	"MISSING_API_KEY": true, "INVALID_API_KEY": true, "DOMAIN_NOT_ALLOWED": true, "MISSING_RESTAURANT_ID": true,
}

// unsure are the parts of a code by which an error may leave something begun,
// or speak of another request. A code that nobody here knows and that has one
// of them is no refusal.
var unsure = []string{
	"INTERNAL", "SERVER", "GATEWAY", "UPSTREAM", "UNAVAILABLE", "UNKNOWN", "UNEXPECTED", "TIMEOUT", "TIMED", "EXPIRED",
	"PENDING", "PROCESS", "PROGRESS", "DUPLICATE", "ALREADY", "CONFLICT", "EXISTS",
}

// refusal gives the meaning of an answer of the provider's own that is no
// success. It ends the payment only where nothing can have been charged:
//
//   - by a code that says so, whatever the HTTP number;
//   - by 400, 402, 403 or 422 in the provider's own error form with a code
//     unknown here, unless the code itself leaves room. The numbers say that
//     the request was at fault, without funds, or not allowed; 402 and 403
//     are the SDK's tests for those. Without this rule every payer without
//     funds would go to an operator, should the code be spelt in a way that
//     nobody has foreseen.
//
// All else (5xx, 504 above all, INTERNAL_ERROR, 404 and 409 from anywhere,
// success:false without a code) leaves the outcome unknown.
func refusal(r wire.Reply, body wire.Object, method string) payment.Evidence {
	code, message := errorIn(body)
	e := payment.Evidence{Verdict: payment.SaysNothing, Code: code, Reason: message}
	key := strings.ToUpper(code)
	verdict, known := codes[key]
	switch {
	case !failed(body): // not its error form: somebody else's
	case credentialCodes[key]:
		e.Verdict, e.Code = payment.SaysRefused, provider.CodeCredentials
		e.Reason = wire.Clean(code+": "+message, longestReason)
	case known:
		e.Verdict = verdict
	case code != "" && settles(r.Code) && !leavesRoom(key):
		e.Verdict = payment.SaysRefused
		if method == MethodMCX && r.Code != http.StatusBadRequest && r.Code != http.StatusUnprocessableEntity {
			e.Verdict = payment.SaysFailed // the payer's outcome
		}
	}
	if e.Code == "" {
		e.Code = "HTTP_" + strconv.Itoa(r.Code)
	}
	return e
}

func settles(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusForbidden, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func leavesRoom(code string) bool {
	for _, part := range unsure {
		if strings.Contains(code, part) {
			return true
		}
	}
	return false
}
