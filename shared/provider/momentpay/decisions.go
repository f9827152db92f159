package momentpay

import (
	"net/http"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// decisions is MomentPay's decision table. MomentPay publishes what its HTTP
// statuses mean for a key (authentication page) and no error code but "invalid
// request". An answer that no row names is unknown: the same request under the
// same key, or the status question, finds out.
var decisions = provider.Decisions{
	{Operation: provider.OnSubmit, HTTP: http.StatusUnauthorized, Code: provider.AnyCode, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key is missing", Source: "docs, authentication"},
	{Operation: provider.OnSubmit, HTTP: http.StatusForbidden, Code: provider.AnyCode, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the key was deleted or has expired", Source: "docs, authentication"},
	{Operation: provider.OnSubmit, HTTP: http.StatusBadRequest, Code: codeInvalid, Verdict: payment.SaysRefused,
		Proof: "the request or its key was found wrong", Source: "docs, authentication"},
	{Operation: provider.OnSubmit, HTTP: http.StatusUnprocessableEntity, Code: codeInvalid, Verdict: payment.SaysRefused,
		Proof: "the request was found wrong", Source: "docs, authentication"},
	{Operation: provider.OnSubmit, HTTP: http.StatusTooManyRequests, Code: provider.AnyCode, Verdict: payment.SaysNothing, Repeat: true,
		Proof: "too many requests", Source: "RFC 6585, 4"},

	{Operation: provider.OnStatus, HTTP: http.StatusNotFound, Code: provider.AnyCode, Verdict: payment.SaysNotFound,
		Proof: "no such id, in MomentPay's own form", Source: "not confirmed"},

	// The docs' words for a payment request; a link is never failed.
	{Operation: provider.OnWord, Code: "active", Verdict: payment.SaysPending, Source: "docs, payment request"},
	{Operation: provider.OnWord, Code: "paid", Verdict: payment.SaysSuccessful, Source: "docs, payment request"},
	{Operation: provider.OnWord, Code: "expired", Verdict: payment.SaysCancelled, Proof: "not paid in time", Source: "docs, payment request"},
	{Operation: provider.OnWord, Code: "failed", Verdict: payment.SaysFailed, Proof: "MomentPay's own ending", Source: "docs, payment request"},
}

// codeInvalid is the code of a request that was found wrong.
const codeInvalid = "invalid_request"
