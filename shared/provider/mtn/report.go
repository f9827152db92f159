package mtn

import (
	"strings"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

// Lengths to which reported text is cut. MTN publishes none; the longest
// seen is an id of 36 characters.
const (
	longestCode   = 100
	longestReason = 500
	longestID     = 256
	longestAmount = 64
)

// cancelReasons turn FAILED into a cancelling. TRANSACTION_CANCELED is in
// MTN's ErrorReason enum and can mean nothing else. APPROVAL_REJECTED is not
// here: a payer who says no has refused the payment, which MTN and the
// contract both call FAILED.
var cancelReasons = map[string]bool{"TRANSACTION_CANCELED": true, "TRANSACTION_CANCELLED": true}

// report reads what a status answer or a callback says; both have the same
// fields. Every field may be missing, a string or a number. The verdict is
// SaysNothing when there is no status. words is the table that has them.
func report(body wire.Object, words provider.Decisions) (payment.Evidence, error) {
	ev := payment.Evidence{Verdict: payment.SaysNothing}
	if amount, ok := body.Text("amount"); ok {
		ev.Amount = wire.Clean(amount, longestAmount)
	}
	if currency, ok := body.Text("currency"); ok {
		ev.Currency = wire.Clean(currency, longestAmount)
	}
	if id, ok := body.Text("financialTransactionId"); ok {
		ev.FinancialTransactionID = wire.Clean(id, longestID)
	}
	payer, err := readPayer(body)
	if err != nil {
		return payment.Evidence{}, err
	}
	ev.Payer = payer
	code, reason, err := readReason(body)
	if err != nil {
		return payment.Evidence{}, err
	}

	// The status is read before the reason: a FAILED payment whose reason is
	// INTERNAL_PROCESSING_ERROR has failed, however transient that sounds.
	status, ok := body.Text("status")
	if !ok || status == "" {
		return ev, nil
	}
	verdict := words.Word(status)
	ev.Code = wire.Clean(status, longestCode)
	switch verdict {
	case payment.SaysFailed, payment.SaysCancelled:
		if code != "" {
			ev.Code = wire.Clean(code, longestCode)
		}
		ev.Reason = wire.Clean(reason, longestReason)
		if cancelReasons[code] {
			verdict = payment.SaysCancelled
		}
	case payment.SaysUnrecognised:
		ev.Reason = wire.Clean(strings.TrimSpace(code+" "+reason), longestReason)
	}
	ev.Verdict = verdict
	return ev, nil
}

// readPayer returns the payer's number: {partyIdType, partyId} in MTN's
// schema, tolerated as a bare string or number. A plus is dropped from a
// number; another kind of party is reported as it is.
func readPayer(body wire.Object) (string, error) {
	party, isObject, err := body.Child("payer")
	if err != nil {
		return "", err
	}
	id, kind := "", ""
	if isObject {
		id, _ = party.Text("partyId")
		kind, _ = party.Text("partyIdType")
	} else {
		id, _ = body.Text("payer")
	}
	if kind == "" || strings.EqualFold(kind, "MSISDN") {
		id = strings.TrimPrefix(id, "+")
	}
	return wire.Clean(id, longestID), nil
}

// readReason returns reason as code and text. MTN's schema has
// {code, message}; every body that was seen has a plain string. Unknown
// codes pass through.
func readReason(body wire.Object) (code, text string, err error) {
	both, isObject, err := body.Child("reason")
	switch {
	case err != nil:
		return "", "", err
	case isObject:
		code, _ = both.Text("code")
		text, _ = both.Text("message")
		if code == "" && text == "" && len(both) > 0 {
			text, _ = body.Text("reason")
		}
		return code, text, nil
	}
	text, _ = body.Text("reason")
	if codeLike(text) {
		return text, "", nil
	}
	return "", text, nil
}

// codeLike tells a code (NOT_ENOUGH_FUNDS) from a sentence.
func codeLike(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}
