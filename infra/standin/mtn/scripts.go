package mtn

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"momoproxy/infra/standin/core"
)

// DefaultTimes are those seen at MTN where they were seen (Ongoing: 45 s and
// more, Repeat: 3 min, Expire: 5 min), and one second for Approve, since the
// sandbox prompts nobody.
func DefaultTimes() core.Times {
	return core.Times{
		Approve: time.Second, Slow: 30 * time.Second, Late: 2 * time.Minute, Repeat: 3 * time.Minute,
		Lag: 15 * time.Second, Ongoing: 45 * time.Second, Expire: 5 * time.Minute, Long: 26 * time.Hour,
	}
}

// Names of scripts that code asks for by name.
const (
	ScriptSuccess = "success"
	ScriptPending = "pending_forever"
)

// succeeds is the ordinary script, its end and its callback so long after
// acceptance.
func succeeds(after time.Duration) core.Script {
	return core.Script{Steps: []core.Step{{After: after, Status: successful}}, Callbacks: []core.Notice{{After: after}}}
}

// fails is a script that ends with a reason.
func fails(after time.Duration, reason string) core.Script {
	return core.Script{Steps: []core.Step{{After: after, Status: failed, Reason: reason}}, Callbacks: []core.Notice{{After: after}}}
}

// refused is a script that never starts.
func refused(code string) core.Script { return core.Script{Refusal: code} }

// submit makes the request itself go wrong the first so many times.
func submit(sc core.Script, f core.Fault, times int) core.Script {
	sc.Submit, sc.SubmitTimes = f, times
	return sc
}

// shown makes status answers go wrong the first so many times.
func shown(sc core.Script, f core.Fault, times int) core.Script {
	sc.Status, sc.StatusTimes = f, times
	return sc
}

// told replaces the callbacks.
func told(sc core.Script, n ...core.Notice) core.Script {
	sc.Callbacks = n
	return sc
}

// Our own numbers: an Eswatini and a Swedish one for each script that has
// four digits.
const (
	prefixEswatini = "2687699"
	prefixSweden   = "4673399"
)

// catalogue lists every script. documented prefers MTN's pages to what was
// seen for the two numbers where they disagree.
func catalogue(t core.Times, documented bool) []core.Script {
	end := t.Approve
	var all []core.Script
	add := func(digits, name, meaning string, sc core.Script, numbers ...string) {
		if digits != "" {
			numbers = append([]string{prefixEswatini + digits, prefixSweden + digits}, numbers...)
		}
		sc.Name, sc.Meaning, sc.For = name, meaning, numbers
		all = append(all, sc)
	}

	add("", ScriptSuccess, "SUCCESSFUL after Approve, with one callback; also every number not listed", succeeds(end), "56733123453")

	// MTN's own payers.
	add("", "mtn_450", "FAILED, INTERNAL_PROCESSING_ERROR", fails(end, "INTERNAL_PROCESSING_ERROR"), "46733123450")
	add("", "mtn_451", "FAILED, APPROVAL_REJECTED", fails(end, "APPROVAL_REJECTED"), "46733123451")
	add("", "mtn_452", "FAILED, EXPIRED", fails(end, "EXPIRED"), "46733123452")
	if documented {
		add("", "mtn_453", "PENDING for Slow, then SUCCESSFUL (as documented)", succeeds(t.Slow), "46733123453")
		add("", "mtn_454", "PENDING for Ongoing, then SUCCESSFUL (as documented)", succeeds(t.Ongoing), "46733123454")
	} else {
		add("", "mtn_453", "PENDING for Ongoing, then FAILED, EXPIRED", fails(t.Ongoing, "EXPIRED"), "46733123453")
		created := succeeds(t.Ongoing)
		created.Steps = slices.Insert(created.Steps, 0, core.Step{Status: "CREATED"})
		add("", "mtn_454", "CREATED for Ongoing, then SUCCESSFUL", created, "46733123454")
	}
	add("", "mtn_455", "500 PAYER_NOT_FOUND", refused("PAYER_NOT_FOUND"), "46733123455")
	add("", "mtn_456", "500 PAYEE_NOT_ALLOWED_TO_RECEIVE", refused("PAYEE_NOT_ALLOWED_TO_RECEIVE"), "46733123456")
	add("", "mtn_457", "500 NOT_ALLOWED", refused("NOT_ALLOWED"), "46733123457")
	add("", "mtn_458", "500 NOT_ALLOWED_TARGET_ENVIRONMENT", refused("NOT_ALLOWED_TARGET_ENVIRONMENT"), "46733123458")
	add("", "mtn_459", "500 INVALID_CALLBACK_URL_HOST", refused("INVALID_CALLBACK_URL_HOST"), "46733123459")
	add("", "mtn_460", "500 INVALID_CURRENCY", refused("INVALID_CURRENCY"), "46733123460")
	add("", "mtn_461", "500 INTERNAL_PROCESSING_ERROR, nothing charged", refused("INTERNAL_PROCESSING_ERROR"), "46733123461")
	add("", "mtn_462", "503 SERVICE_UNAVAILABLE", refused("SERVICE_UNAVAILABLE"), "46733123462")
	add("", "mtn_463", "FAILED, COULD_NOT_PERFORM_TRANSACTION", fails(end, "COULD_NOT_PERFORM_TRANSACTION"), "46733123463")
	add("", "mtn_464", "500 TRANSFER_TYPE_UNKNOWN", refused("TRANSFER_TYPE_UNKNOWN"), "46733123464")

	// Callbacks.
	add("1001", "callback_lost", "SUCCESSFUL; no callback ever", told(succeeds(end)))
	add("1002", "callback_late", "SUCCESSFUL; the callback comes Late after the end", told(succeeds(end), core.Notice{After: end + t.Late}))
	add("1003", "callback_double", "SUCCESSFUL; the callback comes twice, Repeat apart", told(succeeds(end), core.Notice{After: end}, core.Notice{After: end + t.Repeat}))
	add("1004", "callback_forged", "somebody else posts SUCCESSFUL at once; the truth is FAILED, APPROVAL_REJECTED after Approve, with its own callback",
		told(fails(end, "APPROVAL_REJECTED"), core.Notice{Status: "SUCCESSFUL", Forged: Stranger}, core.Notice{After: end}))
	add("1005", "callback_put", "SUCCESSFUL; the callback is a PUT", told(succeeds(end), core.Notice{After: end, Method: http.MethodPut}))
	lag := succeeds(end)
	lag.Lag = t.Lag
	add("1006", "callback_first", "SUCCESSFUL; the callback comes while the status still says PENDING, for Lag", lag)
	add("1007", "callback_forged_only", "as 1004, but the true callback is lost", told(fails(end, "APPROVAL_REJECTED"), core.Notice{Status: "SUCCESSFUL", Forged: Stranger}))
	add("1008", "callback_forged_pending", "somebody else posts SUCCESSFUL at once; the payment stays PENDING", told(core.Script{}, core.Notice{Status: "SUCCESSFUL", Forged: Stranger}))
	add("1009", "callback_forged_failure", "somebody else posts FAILED at once; the truth is SUCCESSFUL after Slow, with its callback",
		told(succeeds(t.Slow), core.Notice{Status: "FAILED", Reason: "APPROVAL_REJECTED", Forged: Stranger}, core.Notice{After: t.Slow}))

	// Time.
	add("2001", "slow", "SUCCESSFUL after Slow", succeeds(t.Slow))
	add("2002", ScriptPending, "stays PENDING", core.Script{})
	add("2003", "late_success", "PENDING for Long, then SUCCESSFUL", succeeds(t.Long))
	corrected := fails(t.Approve, "EXPIRED")
	corrected.Steps = append(corrected.Steps, core.Step{After: t.Approve + t.Long, Status: "SUCCESSFUL"})
	add("2004", "corrected", "FAILED, EXPIRED after Approve; Long later SUCCESSFUL after all, with a second callback",
		told(corrected, core.Notice{After: t.Approve}, core.Notice{After: t.Approve + t.Long}))
	hidden := succeeds(end)
	hidden.Hidden = t.Lag
	add("2005", "hidden", "SUCCESSFUL; its status is 404 for Lag after acceptance", hidden)
	add("2006", "pin_not_entered", "PENDING for Expire, then FAILED, COULD_NOT_PERFORM_TRANSACTION", fails(t.Expire, "COULD_NOT_PERFORM_TRANSACTION"))

	// Answers to the request that are lost or wrong. "Charged" scripts go on
	// to SUCCESSFUL with a callback.
	add("3001", "timeout_before", "every request swallowed, nothing charged", submit(succeeds(end), core.TimeoutBefore, 0))
	add("3002", "timeout_after", "the first answer is lost, charged", submit(succeeds(end), core.TimeoutAfter, 1))
	add("3003", "reset_before", "connection reset every time, nothing charged", submit(succeeds(end), core.ResetBefore, 0))
	add("3004", "reset_after", "connection reset after the charge", submit(succeeds(end), core.ResetAfter, 1))
	add("3005", "timeout_once", "the first request is swallowed, the second accepted", submit(succeeds(end), core.TimeoutBefore, 1))
	add("3006", "reset_once", "connection reset the first time, the second accepted", submit(succeeds(end), core.ResetBefore, 1))
	add("3007", "timeout_after_lost", "the answer and the callback are lost, charged", told(submit(succeeds(end), core.TimeoutAfter, 1)))
	add("3008", "timeout_after_rejected", "the first answer is lost; FAILED, APPROVAL_REJECTED", submit(fails(end, "APPROVAL_REJECTED"), core.TimeoutAfter, 1))
	add("0500", "error500_charged", "500 INTERNAL_PROCESSING_ERROR the first time, though charged", submit(succeeds(end), core.Error500After, 1))
	add("1500", "error500", "500 INTERNAL_PROCESSING_ERROR every time, nothing charged", submit(succeeds(end), core.Error500Before, 0))
	add("2500", "error500_once", "500 INTERNAL_PROCESSING_ERROR the first time, the second accepted", submit(succeeds(end), core.Error500Before, 1))
	add("0503", "error503", "503 every time, nothing charged", submit(succeeds(end), core.Error503Before, 0))
	add("1503", "error503_once", "503 the first time, the second accepted", submit(succeeds(end), core.Error503Before, 1))
	add("2503", "error503_charged", "503 the first time, though charged", submit(succeeds(end), core.Error503After, 1))
	add("0429", "error429", "429 every time, nothing charged", submit(succeeds(end), core.Error429Before, 0))
	add("1429", "error429_once", "429 the first time, the second accepted", submit(succeeds(end), core.Error429Before, 1))
	add("0401", "error401_once", "401 the first time, as for an expired token; the second accepted", submit(succeeds(end), core.Error401Before, 1))
	add("0403", "error403", "403 every time, nothing charged", submit(succeeds(end), core.Error403Before, 0))
	add("0200", "html200", "200 with an HTML page every time, nothing charged", submit(succeeds(end), core.HTML200Before, 0))
	add("1200", "html200_charged", "200 with an HTML page the first time, though charged", submit(succeeds(end), core.HTML200After, 1))
	add("0202", "json200_charged", "200 with JSON instead of 202 the first time, charged", submit(succeeds(end), core.JSON200After, 1))
	add("1202", "json200", "200 with JSON instead of 202 every time, nothing charged", submit(succeeds(end), core.JSON200Before, 0))

	// Endings.
	for _, f := range []struct{ digits, reason string }{
		{"6001", "NOT_ENOUGH_FUNDS"}, {"6002", "APPROVAL_REJECTED"}, {"6003", "EXPIRED"},
		{"6004", "COULD_NOT_PERFORM_TRANSACTION"}, {"6005", "PAYER_LIMIT_REACHED"},
		{"6006", "PAYER_NOT_FOUND"}, {"6007", "SENDER_ACCOUNT_NOT_ACTIVE"},
		{"6008", "PAYEE_NOT_ALLOWED_TO_RECEIVE"}, {"6009", "SOMETHING_NEW"},
	} {
		add(f.digits, "failed_"+strings.ToLower(f.reason), "FAILED, "+f.reason, fails(end, f.reason))
	}
	add("6010", "failed_without_reason", "FAILED without a reason", fails(end, ""))
	add("6404", "refused_payer_not_found", "500 PAYER_NOT_FOUND", refused("PAYER_NOT_FOUND"))

	// Status answers.
	add("7001", "status_truncated", "the first three status answers break off", shown(succeeds(end), core.Truncated, 3))
	unknown := succeeds(t.Slow)
	unknown.Steps = slices.Insert(unknown.Steps, 0, core.Step{After: end, Status: "ON_HOLD"})
	add("7002", "status_unknown_word", "status ON_HOLD from Approve to Slow, then SUCCESSFUL", unknown)
	add("7003", "status_wrong_amount", "another amount in every status answer", shown(succeeds(end), WrongAmount, 0))
	add("7004", "status_wrong_payer", "another payer in every status answer", shown(succeeds(end), WrongPayer, 0))
	add("7005", "status_wrong_currency", "another currency in every status answer", shown(succeeds(end), WrongCurrency, 0))
	add("7006", "status_reason_object", "FAILED, reason as the documented object", shown(fails(end, "NOT_ENOUGH_FUNDS"), ReasonObject, 0))
	add("7007", "status_number_fields", "amount and transaction id as JSON numbers", shown(succeeds(end), NumberFields, 0))
	add("7008", "status_html", "the first three status answers are a 200 HTML page", shown(succeeds(end), core.HTML200Before, 3))
	add("7009", "status_error500", "the first three status answers are 500", shown(succeeds(end), core.Error500Before, 3))
	add("7010", "status_error503", "the first three status answers are 503", shown(succeeds(end), core.Error503Before, 3))
	add("7011", "status_timeout", "the first three status questions are swallowed", shown(succeeds(end), core.TimeoutBefore, 3))
	add("7012", "status_reset", "the first three status questions meet a reset", shown(succeeds(end), core.ResetBefore, 3))

	// What only transfers and refunds ask for.
	add("", "ongoing", "stays PENDING; of a transfer or a refund", core.Script{})
	add("", "refused_not_found", "404 RESOURCE_NOT_FOUND; of a refund", refused("RESOURCE_NOT_FOUND"))
	add("", "refused_payee_not_found", "500 PAYEE_NOT_FOUND; of a transfer", refused("PAYEE_NOT_FOUND"))
	return all
}

// cached is the catalogue made last: the many worlds of a simulation share it.
type cached struct {
	times      core.Times
	documented bool
	*core.Catalogue
}

var last atomic.Pointer[cached]

// index makes the catalogue searchable.
func index(t core.Times, documented bool) *core.Catalogue {
	if x := last.Load(); x != nil && x.times == t && x.documented == documented {
		return x.Catalogue
	}
	x := &cached{t, documented, core.NewCatalogue(catalogue(t, documented))}
	last.Store(x)
	return x.Catalogue
}
