package mtn

import (
	"net/http"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// decisions is MTN's decision table. MTN answers permanent errors with 500, so
// the body's code decides and not the HTTP status. An answer that no row names
// is unknown, and the status question that follows finds out.
//
// Codes of MTN's enum that speak of a request already under way
// (PAYMENT_NOT_APPROVED, APPROVAL_REJECTED, EXPIRED, TRANSACTION_CANCELED,
// COULD_NOT_PERFORM_TRANSACTION) have no row for a submission on purpose: only
// the status answer can end such a payment. Neither has
// INTERNAL_PROCESSING_ERROR, which is mostly lack of funds (laravel-mtn-momo
// issue 81) but does not say that the request was not taken.
//
// Sources: ERR82 is MTN's list of common errors, "enum" the portal's
// ErrorReason schema, "post 192" and "post 338" MTN's announcements of reasons.
var decisions = provider.Decisions{
	{Operation: provider.OnSubmit, Code: "RESOURCE_ALREADY_EXIST", Verdict: payment.SaysAccepted,
		Proof: "an earlier request under this reference got through", Source: "ERR82, body observed"},

	{Operation: provider.OnSubmit, Code: "PAYER_NOT_FOUND", Verdict: payment.SaysRefused,
		Proof: "the number has no wallet", Source: "ERR82"},
	{Operation: provider.OnSubmit, Code: "NOT_ENOUGH_FUNDS", Verdict: payment.SaysRefused,
		Proof: "the payer lacks the money", Source: "enum, post 192"},
	{Operation: provider.OnSubmit, Code: "PAYER_LIMIT_REACHED", Verdict: payment.SaysRefused,
		Proof: "the payer's limit forbids it", Source: "enum, post 192"},
	{Operation: provider.OnSubmit, Code: "SENDER_ACCOUNT_NOT_ACTIVE", Verdict: payment.SaysRefused,
		Proof: "the payer's account is blocked", Source: "post 192"},

	{Operation: provider.OnSubmit, Code: "NOT_ALLOWED", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our account may not collect", Source: "ERR82, post 192"},
	{Operation: provider.OnSubmit, Code: "NOT_ALLOWED_TARGET_ENVIRONMENT", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "X-Target-Environment is not our account's", Source: "ERR82"},
	{Operation: provider.OnSubmit, Code: "INVALID_CALLBACK_URL_HOST", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the callback host is not the registered one", Source: "ERR82"},
	{Operation: provider.OnSubmit, Code: "INVALID_CURRENCY", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "the currency is not our account's", Source: "ERR82, body observed"},
	{Operation: provider.OnSubmit, Code: "PAYEE_NOT_ALLOWED_TO_RECEIVE", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our wallet may not receive", Source: "copy of the portal's documentation"},
	{Operation: provider.OnSubmit, Code: "PAYEE_NOT_FOUND", Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our wallet is not known", Source: "enum"},
	{Operation: provider.OnSubmit, HTTP: http.StatusForbidden, Code: codeForbiddenIP, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "our address is not on MTN's allow-list", Source: "ERR82; laravel-mtn-momo issue 50"},
	{Operation: provider.OnSubmit, HTTP: http.StatusUnauthorized, Verdict: payment.SaysRefused, AccountFault: true,
		Proof: "subscription key or token refused at the gateway", Source: "ERR82"},

	{Operation: provider.OnSubmit, Code: "SERVICE_UNAVAILABLE", Verdict: payment.SaysNothing, Repeat: true,
		Proof: "temporary; MTN asks to repeat with the same reference", Source: "ERR82"},
	{Operation: provider.OnSubmit, HTTP: http.StatusTooManyRequests, Code: provider.AnyCode, Verdict: payment.SaysNothing, Repeat: true,
		Proof: "too many requests", Source: "copy of the portal's documentation"},

	{Operation: provider.OnStatus, Code: "RESOURCE_NOT_FOUND", Verdict: payment.SaysNotFound,
		Proof: "this platform does not know the reference", Source: "ERR82, body observed"},
	{Operation: provider.OnStatus, Code: "TRANSACTION_NOT_FOUND", Verdict: payment.SaysNotFound,
		Proof: "this platform does not know the reference", Source: "post 338"},

	{Operation: provider.OnWord, Code: "PENDING", Verdict: payment.SaysPending, Source: "portal"},
	{Operation: provider.OnWord, Code: "CREATED", Verdict: payment.SaysPending, Source: "observed, sandbox payer …454"},
	{Operation: provider.OnWord, Code: "ONGOING", Verdict: payment.SaysPending, Source: "contract; a test payer of the portal"},
	{Operation: provider.OnWord, Code: "SUCCESSFUL", Verdict: payment.SaysSuccessful, Source: "portal"},
	{Operation: provider.OnWord, Code: "FAILED", Verdict: payment.SaysFailed, Proof: "MTN's own ending", Source: "portal"},
	// Never seen as a status. Each is a word of the contract, and each is a
	// documented ending of the payer's prompt (as the reasons
	// APPROVAL_REJECTED, EXPIRED and TRANSACTION_CANCELED). TIMEOUT has no row:
	// MTN never says it, and a time-out does not say whether money moved.
	{Operation: provider.OnWord, Code: "REJECTED", Verdict: payment.SaysFailed, Proof: "the payer said no", Source: "contract; enum"},
	{Operation: provider.OnWord, Code: "EXPIRED", Verdict: payment.SaysFailed, Proof: "the payer's prompt expired", Source: "contract; enum"},
	{Operation: provider.OnWord, Code: "CANCELLED", Verdict: payment.SaysCancelled, Proof: "the transaction was cancelled", Source: "contract; enum"},
	{Operation: provider.OnWord, Code: "CANCELED", Verdict: payment.SaysCancelled, Proof: "the transaction was cancelled", Source: "contract; enum"},
}

// codeForbiddenIP is the Evidence.Code of ERR82's "FORBIDDEN IP". The shape of
// its body is not published.
const codeForbiddenIP = "FORBIDDEN_IP"
