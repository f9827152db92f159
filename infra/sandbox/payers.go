package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// Our own numbers: an Eswatini and a Swedish one for each script that has
// four digits.
const (
	prefixEswatini = "2687699"
	prefixSweden   = "4673399"
)

// script is a plan and the numbers that ask for it.
type script struct {
	Plan
	digits string   // last four digits of our own numbers; empty: none
	others []string // numbers given to it by MTN
}

// catalogue lists every script. documented prefers MTN's pages to what was
// seen for the two numbers where they disagree.
func catalogue(t Times, documented bool) []script {
	end := t.Approve
	var all []script
	add := func(digits, name, meaning string, p Plan, others ...string) {
		p.Name, p.Meaning = name, meaning
		all = append(all, script{p, digits, others})
	}

	add("", PlanSuccess, "SUCCESSFUL after Approve, with one callback; also every number not listed", succeeds(end), "56733123453")

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
		created.Steps = slices.Insert(created.Steps, 0, Step{Status: "CREATED"})
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
	add("1001", "callback_lost", "SUCCESSFUL; no callback ever", succeeds(end).told())
	add("1002", "callback_late", "SUCCESSFUL; the callback comes Late after the end", succeeds(end).told(Notice{After: end + t.Late}))
	add("1003", "callback_double", "SUCCESSFUL; the callback comes twice, Repeat apart", succeeds(end).told(Notice{After: end}, Notice{After: end + t.Repeat}))
	add("1004", "callback_forged", "somebody else posts SUCCESSFUL at once; the truth is FAILED, APPROVAL_REJECTED after Approve, with its own callback",
		fails(end, "APPROVAL_REJECTED").told(Notice{Status: "SUCCESSFUL", Forged: true}, Notice{After: end}))
	add("1005", "callback_put", "SUCCESSFUL; the callback is a PUT", succeeds(end).told(Notice{After: end, Method: http.MethodPut}))
	lag := succeeds(end)
	lag.Lag = t.Lag
	add("1006", "callback_first", "SUCCESSFUL; the callback comes while the status still says PENDING, for Lag", lag)
	add("1007", "callback_forged_only", "as 1004, but the true callback is lost", fails(end, "APPROVAL_REJECTED").told(Notice{Status: "SUCCESSFUL", Forged: true}))
	add("1008", "callback_forged_pending", "somebody else posts SUCCESSFUL at once; the payment stays PENDING for ever", Plan{}.told(Notice{Status: "SUCCESSFUL", Forged: true}))
	add("1009", "callback_forged_failure", "somebody else posts FAILED at once; the truth is SUCCESSFUL after Slow, with its callback",
		succeeds(t.Slow).told(Notice{Status: "FAILED", Reason: "APPROVAL_REJECTED", Forged: true}, Notice{After: t.Slow}))

	// Time.
	add("2001", "slow", "SUCCESSFUL after Slow", succeeds(t.Slow))
	add("2002", PlanPending, "PENDING for ever", Plan{})
	add("2003", "late_success", "PENDING for Long, then SUCCESSFUL", succeeds(t.Long))
	corrected := fails(t.Approve, "EXPIRED")
	corrected.Steps = append(corrected.Steps, Step{After: t.Approve + t.Long, Status: "SUCCESSFUL"})
	add("2004", "corrected", "FAILED, EXPIRED after Approve; Long later SUCCESSFUL after all, with a second callback",
		corrected.told(Notice{After: t.Approve}, Notice{After: t.Approve + t.Long}))
	hidden := succeeds(end)
	hidden.Hidden = t.Lag
	add("2005", "hidden", "SUCCESSFUL; its status is 404 for Lag after acceptance", hidden)
	add("2006", "pin_not_entered", "PENDING for Expire, then FAILED, COULD_NOT_PERFORM_TRANSACTION", fails(t.Expire, "COULD_NOT_PERFORM_TRANSACTION"))

	// Answers to the request that are lost or wrong. "Charged" scripts go on
	// to SUCCESSFUL with a callback.
	add("3001", "timeout_before", "every request swallowed, nothing charged", succeeds(end).submit(TimeoutBefore, 0))
	add("3002", "timeout_after", "the first answer is lost, charged", succeeds(end).submit(TimeoutAfter, 1))
	add("3003", "reset_before", "connection reset every time, nothing charged", succeeds(end).submit(ResetBefore, 0))
	add("3004", "reset_after", "connection reset after the charge", succeeds(end).submit(ResetAfter, 1))
	add("3005", "timeout_once", "the first request is swallowed, the second accepted", succeeds(end).submit(TimeoutBefore, 1))
	add("3006", "reset_once", "connection reset the first time, the second accepted", succeeds(end).submit(ResetBefore, 1))
	add("3007", "timeout_after_lost", "the answer and the callback are lost, charged", succeeds(end).submit(TimeoutAfter, 1).told())
	add("3008", "timeout_after_rejected", "the first answer is lost; FAILED, APPROVAL_REJECTED", fails(end, "APPROVAL_REJECTED").submit(TimeoutAfter, 1))
	add("0500", "error500_charged", "500 INTERNAL_PROCESSING_ERROR the first time, though charged", succeeds(end).submit(Error500After, 1))
	add("1500", "error500", "500 INTERNAL_PROCESSING_ERROR every time, nothing charged", succeeds(end).submit(Error500Before, 0))
	add("2500", "error500_once", "500 INTERNAL_PROCESSING_ERROR the first time, the second accepted", succeeds(end).submit(Error500Before, 1))
	add("0503", "error503", "503 every time, nothing charged", succeeds(end).submit(Unavailable, 0))
	add("1503", "error503_once", "503 the first time, the second accepted", succeeds(end).submit(Unavailable, 1))
	add("2503", "error503_charged", "503 the first time, though charged", succeeds(end).submit(UnavailableAfter, 1))
	add("0429", "error429", "429 every time, nothing charged", succeeds(end).submit(TooMany, 0))
	add("1429", "error429_once", "429 the first time, the second accepted", succeeds(end).submit(TooMany, 1))
	add("0401", "error401_once", "401 the first time, as for an expired token; the second accepted", succeeds(end).submit(Unauthorized, 1))
	add("0403", "error403", "403 every time, nothing charged", succeeds(end).submit(Forbidden, 0))
	add("0200", "html200", "200 with an HTML page every time, nothing charged", succeeds(end).submit(HTMLBefore, 0))
	add("1200", "html200_charged", "200 with an HTML page the first time, though charged", succeeds(end).submit(HTMLAfter, 1))
	add("0202", "json200_charged", "200 with JSON instead of 202 the first time, charged", succeeds(end).submit(JSONAfter, 1))
	add("1202", "json200", "200 with JSON instead of 202 every time, nothing charged", succeeds(end).submit(JSONBefore, 0))

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
	add("7001", "status_truncated", "the first three status answers break off", succeeds(end).shown(Truncated, 3))
	unknown := succeeds(t.Slow)
	unknown.Steps = slices.Insert(unknown.Steps, 0, Step{After: end, Status: "ON_HOLD"})
	add("7002", "status_unknown_word", "status ON_HOLD from Approve to Slow, then SUCCESSFUL", unknown)
	add("7003", "status_wrong_amount", "another amount in every status answer", succeeds(end).shown(WrongAmount, 0))
	add("7004", "status_wrong_payer", "another payer in every status answer", succeeds(end).shown(WrongPayer, 0))
	add("7005", "status_wrong_currency", "another currency in every status answer", succeeds(end).shown(WrongCurrency, 0))
	add("7006", "status_reason_object", "FAILED, reason as the documented object", fails(end, "NOT_ENOUGH_FUNDS").shown(ReasonObject, 0))
	add("7007", "status_number_fields", "amount and transaction id as JSON numbers", succeeds(end).shown(NumberFields, 0))
	add("7008", "status_html", "the first three status answers are a 200 HTML page", succeeds(end).shown(HTMLBefore, 3))
	add("7009", "status_error500", "the first three status answers are 500", succeeds(end).shown(Error500Before, 3))
	add("7010", "status_error503", "the first three status answers are 503", succeeds(end).shown(Unavailable, 3))
	add("7011", "status_timeout", "the first three status questions are swallowed", succeeds(end).shown(TimeoutBefore, 3))
	add("7012", "status_reset", "the first three status questions meet a reset", succeeds(end).shown(ResetBefore, 3))
	return all
}

// indexed is the catalogue made searchable. It is never changed once made,
// so that the many worlds of a simulation share one.
type indexed struct {
	times      Times
	documented bool
	plans      map[string]Plan   // by name
	numbers    map[string]string // payer number -> plan name
}

var lastIndex atomic.Pointer[indexed]

// index makes the catalogue searchable.
func index(t Times, documented bool) *indexed {
	if x := lastIndex.Load(); x != nil && x.times == t && x.documented == documented {
		return x
	}
	plans, numbers := map[string]Plan{}, map[string]string{}
	for _, sc := range catalogue(t, documented) {
		plans[sc.Name] = sc.Plan
		for _, n := range sc.numbers() {
			numbers[n] = sc.Name
		}
	}
	x := &indexed{t, documented, plans, numbers}
	lastIndex.Store(x)
	return x
}

// numbers are all payers that ask for the script.
func (sc script) numbers() []string {
	if sc.digits == "" {
		return sc.others
	}
	return append([]string{prefixEswatini + sc.digits, prefixSweden + sc.digits}, sc.others...)
}

// PayerLine is one row of the table in README.md.
type PayerLine struct {
	Payers  []string `json:"payers"` // Eswatini form first
	Plan    string   `json:"plan"`
	Meaning string   `json:"meaning"`
}

// Payers lists the numbers that mean something.
func (s *Sandbox) Payers() []PayerLine {
	all := catalogue(s.opts.Times, s.opts.DocumentedPayers)
	lines := make([]PayerLine, 0, len(all))
	for _, sc := range all {
		lines = append(lines, PayerLine{sc.numbers(), sc.Name, sc.Meaning})
	}
	return lines
}

// Payer is the number that asks for a script, the Eswatini one where there
// are two; empty for an unknown name. The ordinary success has 26876123456.
func Payer(plan string) string {
	if plan == PlanSuccess {
		return "26876123456"
	}
	for _, sc := range catalogue(DefaultTimes(), false) {
		if sc.Name == plan {
			return sc.numbers()[0]
		}
	}
	return ""
}

// Script is a named script with a Sandbox's own times; ok is false for an
// unknown name.
func (s *Sandbox) Script(name string) (p Plan, ok bool) {
	p, ok = s.scripts.plans[name]
	return p, ok
}
