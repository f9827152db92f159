package momfactura

import (
	"net/http"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// decisions is Mom Factura's decision table. HTTP statuses are documented for
// one error only, so the code decides. An answer that no row names is unknown:
// of an MCX or E-kwanza payment nobody can be asked, so it goes to an operator.
//
// INTERNAL_ERROR is documented and has no row on purpose: it proves nothing.
// So does the simulated result "timeout": the bank may have been slower than
// the provider waited. Codes are compared in upper case, words in lower case.
//
// Sources: "skill" is momenu-skills, "SDK" the npm package momenu-payments.
var decisions = provider.Decisions{
	{Operation: provider.OnSubmit, Code: "MISSING_API_KEY", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key is checked before anything is done", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "INVALID_API_KEY", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key is checked before anything is done", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "DOMAIN_NOT_ALLOWED", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our origin is not registered for the key", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "MISSING_RESTAURANT_ID", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key belongs to no merchant", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "INSTANT_WITHDRAW_REQUIRED", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our account's setting left instantWithdraw out", Source: "skill, errors"},
	{Operation: provider.OnSubmit, HTTP: http.StatusUnauthorized, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key is checked before anything is done", Source: "RFC 9110, 15.5.2"},

	{Operation: provider.OnSubmit, Code: "INVALID_AMOUNT", Verdict: payment.SaysRefused,
		Proof: "the request was found wrong", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "AMOUNT_MISMATCH", Verdict: payment.SaysRefused,
		Proof: "the request was found wrong", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "MISSING_PHONE", Verdict: payment.SaysRefused,
		Proof: "the request was found wrong", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "RATE_LIMIT_EXCEEDED", Verdict: payment.SaysRefused,
		Proof: "the limiter stands before whatever charges", Source: "skill, errors"},
	{Operation: provider.OnSubmit, Code: "PAYMENT_RATE_LIMIT_EXCEEDED", Verdict: payment.SaysRefused,
		Proof: "the limiter stands before whatever charges", Source: "skill, errors"},
	{Operation: provider.OnSubmit, HTTP: http.StatusTooManyRequests, Verdict: payment.SaysRefused,
		Proof: "the limiter stands before whatever charges", Source: "skill, limits"},

	// The results that the skill's testing page names for an MCX payer who does
	// not pay. That they are also the codes of the answer is not confirmed.
	{Operation: provider.OnSubmit, Code: "INSUFFICIENT_BALANCE", Verdict: payment.SaysFailed,
		Proof: "the payer lacks the money", Source: "skill, testing: insufficient_balance"},
	{Operation: provider.OnSubmit, Code: "REJECTED", Verdict: payment.SaysFailed,
		Proof: "the payer said no", Source: "skill, testing: rejected"},
	{Operation: provider.OnSubmit, Code: "INVALID_NUMBER", Verdict: payment.SaysFailed,
		Proof: "no such payer", Source: "skill, testing: invalid_number"},

	// No such code is published. An operation is only asked about after it was
	// accepted, where absence ends nothing and an operator is notified. The
	// documented INVOICE_NOT_FOUND has no row: it says that there is no invoice.
	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: "PAYMENT_NOT_FOUND", Verdict: payment.SaysNotFound, Source: "not confirmed"},
	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: "OPERATION_NOT_FOUND", Verdict: payment.SaysNotFound, Source: "not confirmed"},
	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: "TRANSACTION_NOT_FOUND", Verdict: payment.SaysNotFound, Source: "not confirmed"},
	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: "REFERENCE_NOT_FOUND", Verdict: payment.SaysNotFound, Source: "not confirmed"},
	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: "ORDER_NOT_FOUND", Verdict: payment.SaysNotFound, Source: "not confirmed"},

	// "error", the webhook's operationStatus 5, has no row: it is neither
	// failed nor cancelled.
	{Operation: provider.OnWord, Code: "pending", Verdict: payment.SaysPending, Source: "skill, status polling"},
	{Operation: provider.OnWord, Code: "open", Verdict: payment.SaysPending, Source: "SDK README"},
	{Operation: provider.OnWord, Code: "paid", Verdict: payment.SaysSuccessful, Source: "skill, status polling"},
	{Operation: provider.OnWord, Code: "cancelled", Verdict: payment.SaysCancelled, Proof: "cancelled before it was paid", Source: "SDK README"},
	{Operation: provider.OnWord, Code: "canceled", Verdict: payment.SaysCancelled, Proof: "cancelled before it was paid", Source: "SDK README"},
	{Operation: provider.OnWord, Code: "expired", Verdict: payment.SaysCancelled, Proof: "not paid in time", Source: "contract: operationStatus 3"},
	{Operation: provider.OnWord, Code: "failed", Verdict: payment.SaysFailed, Proof: "the provider's own ending", Source: "contract: operationStatus 4"},
	{Operation: provider.OnWord, Code: "rejected", Verdict: payment.SaysFailed, Proof: "the provider's own ending", Source: "contract: operationStatus 4"},
	{Operation: provider.OnWord, Code: "refused", Verdict: payment.SaysFailed, Proof: "the provider's own ending", Source: "contract: operationStatus 4"},
}
