package mtn

import (
	"errors"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Codes that this adapter itself puts in Evidence.Code.
const (
	// CodeCredentials: MTN answered 401 to a token just fetched, or refused
	// to give one after a 401.
	CodeCredentials = provider.CodeCredentials
	// CodeWrongReference: a status answer whose externalId is not our
	// reference. It is about somebody else's payment.
	CodeWrongReference = "WRONG_REFERENCE"
	// CodeIncomplete: a status answer says SUCCESSFUL without saying how
	// much, in which currency or from whom.
	CodeIncomplete = "SUCCESSFUL_INCOMPLETE"
)

// submitRule is what an error code in the answer to a request to pay says.
type submitRule struct {
	verdict payment.Verdict
	repeat  bool // worth sending again under the same reference
}

// submitCodes decides by the body's code, not by the HTTP number: MTN
// answers permanent errors with 500. Sources: ERR82 where not said
// otherwise; "enum" is the ErrorReason schema of the portal.
//
// Codes of the enum that speak of a request already under way
// (PAYMENT_NOT_APPROVED, APPROVAL_REJECTED, EXPIRED, TRANSACTION_CANCELED)
// and COULD_NOT_PERFORM_TRANSACTION (post 192: no PIN within five minutes)
// are missing on purpose: only the status answer can end such a payment.
var submitCodes = map[string]submitRule{
	// The reference is in use: an earlier request got through. (ERR82; body
	// observed.)
	"RESOURCE_ALREADY_EXIST": {verdict: payment.SaysAccepted},

	"NOT_ALLOWED":                    {verdict: payment.SaysRefused},
	"NOT_ALLOWED_TARGET_ENVIRONMENT": {verdict: payment.SaysRefused},
	"INVALID_CALLBACK_URL_HOST":      {verdict: payment.SaysRefused},
	"INVALID_CURRENCY":               {verdict: payment.SaysRefused},
	"PAYER_NOT_FOUND":                {verdict: payment.SaysRefused},
	"PAYEE_NOT_ALLOWED_TO_RECEIVE":   {verdict: payment.SaysRefused}, // copy of the portal's documentation
	// Not listed as answers to this call, but each says that this payer or
	// payee cannot take part, so that nothing can have been charged.
	"PAYEE_NOT_FOUND":           {verdict: payment.SaysRefused}, // enum
	"NOT_ENOUGH_FUNDS":          {verdict: payment.SaysRefused}, // enum, post 192
	"PAYER_LIMIT_REACHED":       {verdict: payment.SaysRefused}, // enum, post 192
	"SENDER_ACCOUNT_NOT_ACTIVE": {verdict: payment.SaysRefused}, // post 192

	// Ambiguous: mostly lack of funds (laravel-mtn-momo issue 81), but
	// nothing says that the request was not taken. Ask for the status.
	"INTERNAL_PROCESSING_ERROR": {verdict: payment.SaysNothing},
	// Temporary; MTN asks to repeat with the same reference.
	"SERVICE_UNAVAILABLE": {verdict: payment.SaysNothing, repeat: true},
}

// unknownCodes in an answer to a status question say that MTN does not know
// the reference: ERR82, and post 338 for the second.
var unknownCodes = map[string]bool{"RESOURCE_NOT_FOUND": true, "TRANSACTION_NOT_FOUND": true}

// errorBody returns code and message of an error answer, empty when it has
// none or is not JSON.
func errorBody(r wire.Reply) (code, message string) {
	if r.Class != "" {
		return "", ""
	}
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return "", ""
	}
	code, _ = body.Text("code")
	message, _ = body.Text("message")
	return code, message
}

// notAsked says why a call was never made.
func notAsked(err error) (code, reason string) {
	if errors.Is(err, provider.ErrCredentials) {
		return CodeCredentials, "MTN gave no token: it refused the credentials"
	}
	return "", "MTN was not asked: there was no token in time"
}
