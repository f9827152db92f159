package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Fault is one way in which an exchange goes wrong.
type Fault string

// Faults of an exchange. Those named …_before strike before the request is
// acted on; those named …_after strike when it has been, so that only the
// answer is lost or wrong.
const (
	TimeoutBefore    Fault = "timeout_before"    // swallowed, no answer
	TimeoutAfter     Fault = "timeout_after"     // acted on, no answer
	ResetBefore      Fault = "reset_before"      // connection reset, not acted on
	ResetAfter       Fault = "reset_after"       // acted on, then reset
	Error500Before   Fault = "error500_before"   // INTERNAL_PROCESSING_ERROR, not acted on
	Error500After    Fault = "error500_after"    // INTERNAL_PROCESSING_ERROR though acted on
	Unavailable      Fault = "error503_before"   // SERVICE_UNAVAILABLE, not acted on
	UnavailableAfter Fault = "error503_after"    // SERVICE_UNAVAILABLE though acted on
	TooMany          Fault = "error429_before"   // too many requests, not acted on
	Unauthorized     Fault = "error401_before"   // token no longer good, not acted on
	Forbidden        Fault = "error403_before"   // FORBIDDEN IP, not acted on
	LoginFailed      Fault = "login_failed"      // 500 {"error":"login_failed"}, not acted on
	HTMLBefore       Fault = "html200_before"    // 200 "Request Rejected" page, not acted on
	HTMLAfter        Fault = "html200_after"     // the same though acted on
	JSONBefore       Fault = "json200_before"    // 200 {} instead of 202, not acted on
	JSONAfter        Fault = "json200_after"     // 200 {} instead of 202, acted on
	Truncated        Fault = "truncated"         // acted on, the answer's body breaks off
	NotFound         Fault = "not_found"         // 404 RESOURCE_NOT_FOUND, not acted on
	UnknownStatus    Fault = "unknown_status"    // status word nobody documented
	WrongAmount      Fault = "wrong_amount"      // another amount in the status
	WrongCurrency    Fault = "wrong_currency"    // another currency in the status
	WrongPayer       Fault = "wrong_payer"       // another payer in the status
	WrongExternalID  Fault = "wrong_external_id" // another externalId in the status
	ReasonObject     Fault = "reason_object"     // reason as {code, message}
	NumberFields     Fault = "number_fields"     // amount and ids as JSON numbers
	LostCallback     Fault = "lost"              // callback never sent
	RepeatedCallback Fault = "repeated"          // callback sent twice
)

type faultKind struct {
	before bool
	answer func(reply) reply // an answer instead of, or made from, the true one
	bend   func(*statusBody) // a change of a status answer
	notice bool              // a fault of a callback
}

func instead(r reply) func(reply) reply { return func(reply) reply { return r } }

var faults = map[Fault]faultKind{
	TimeoutBefore:    {before: true, answer: instead(reply{wire: hangs})},
	TimeoutAfter:     {answer: instead(reply{wire: hangs})},
	ResetBefore:      {before: true, answer: instead(reply{wire: resets})},
	ResetAfter:       {answer: instead(reply{wire: resets})},
	Error500Before:   {before: true, answer: instead(refusals["INTERNAL_PROCESSING_ERROR"])},
	Error500After:    {answer: instead(refusals["INTERNAL_PROCESSING_ERROR"])},
	Unavailable:      {before: true, answer: instead(refusals["SERVICE_UNAVAILABLE"])},
	UnavailableAfter: {answer: instead(refusals["SERVICE_UNAVAILABLE"])},
	TooMany:          {before: true, answer: instead(gatewayError(429, "Rate limit is exceeded. Try again in 1 seconds."))},
	Unauthorized:     {before: true, answer: instead(gatewayError(401, "Unauthorized. Access token is missing, invalid or expired."))},
	Forbidden:        {before: true, answer: instead(gatewayError(403, "FORBIDDEN IP"))},
	LoginFailed:      {before: true, answer: instead(jsonReply(500, `{"error":"login_failed"}`))},
	HTMLBefore:       {before: true, answer: instead(requestRejected)},
	HTMLAfter:        {answer: instead(requestRejected)},
	JSONBefore:       {before: true, answer: instead(jsonReply(200, `{}`))},
	JSONAfter:        {answer: instead(jsonReply(200, `{}`))},
	Truncated:        {answer: func(r reply) reply { r.wire = breaksOff; return r }},
	NotFound:         {before: true, answer: instead(refusals["RESOURCE_NOT_FOUND"])},
	UnknownStatus:    {bend: func(b *statusBody) { b.Status = "ON_HOLD" }},
	WrongAmount:      {bend: func(b *statusBody) { b.Amount = "1" + fmt.Sprint(b.Amount) }},
	WrongCurrency: {bend: func(b *statusBody) {
		if b.Currency = "EUR"; b.truth.account.currency == "EUR" {
			b.Currency = "USD"
		}
	}},
	WrongPayer:      {bend: func(b *statusBody) { b.Payer.PartyID = otherDigit(b.Payer.PartyID) }},
	WrongExternalID: {bend: func(b *statusBody) { b.ExternalID += "-OTHER" }},
	ReasonObject: {bend: func(b *statusBody) {
		if r, ok := b.Reason.(string); ok {
			b.Reason = map[string]string{"code": r, "message": "Reason is " + r + "."}
		}
	}},
	NumberFields: {bend: func(b *statusBody) {
		b.Amount = json.Number(fmt.Sprint(b.Amount))
		if id, ok := b.FinancialTransactionID.(string); ok {
			b.FinancialTransactionID = json.Number(id)
		}
	}},
	LostCallback:     {notice: true},
	RepeatedCallback: {notice: true},
}

// otherDigit changes the last character to another digit.
func otherDigit(s string) string {
	if s == "" {
		return "0"
	}
	d := byte('7')
	if s[len(s)-1] == d {
		d = '8'
	}
	return s[:len(s)-1] + string(d)
}

// Faults lists every fault there is, sorted.
func Faults() []Fault { return slices.Sorted(maps.Keys(faults)) }

// ErrRule is wrapped by every refusal of AddRule.
var ErrRule = errors.New("invalid rule")

// Rule makes matching requests go wrong. Empty matchers match everything.
// The first rule that matches is used, once per request.
type Rule struct {
	Route     string `json:"route,omitempty"`     // a Route constant
	Payer     string `json:"payer,omitempty"`     // requesttopay, status and callback only
	Reference string `json:"reference,omitempty"` // as Payer

	Fault   Fault  `json:"fault,omitempty"`
	DelayMS int64  `json:"delayMs,omitempty"` // answer this late, milliseconds
	Plan    string `json:"plan,omitempty"`    // payments asked for follow this script
	Times   int    `json:"times,omitempty"`   // for so many requests; 0: until removed
}

// AddRule adds a rule after those there are. The error wraps ErrRule.
func (s *Sandbox) AddRule(r Rule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Route != "" && !slices.Contains(routes, r.Route) {
		return fmt.Errorf("%w: route %q is none of %v", ErrRule, r.Route, routes)
	}
	if _, known := faults[r.Fault]; r.Fault != "" && !known {
		return fmt.Errorf("%w: fault %q is none of %v", ErrRule, r.Fault, Faults())
	}
	if f := faults[r.Fault]; f.bend != nil && r.Route != RouteStatus {
		return fmt.Errorf("%w: fault %q needs route %q", ErrRule, r.Fault, RouteStatus)
	} else if f.notice != (r.Route == RouteCallback) && r.Fault != "" {
		return fmt.Errorf("%w: faults %q and %q, and no others, are for route %q", ErrRule, LostCallback, RepeatedCallback, RouteCallback)
	}
	if r.Plan != "" {
		if _, known := s.scripts.plans[r.Plan]; !known {
			return fmt.Errorf("%w: plan %q is not known", ErrRule, r.Plan)
		}
		if r.Route != RouteRequestToPay {
			return fmt.Errorf("%w: a plan needs route %q", ErrRule, RouteRequestToPay)
		}
	}
	if r.Fault == "" && r.Plan == "" && r.DelayMS == 0 {
		return fmt.Errorf("%w: names neither fault, plan nor delayMs", ErrRule)
	}
	if r.DelayMS < 0 || r.DelayMS > int64(time.Hour/time.Millisecond) || r.Times < 0 {
		return fmt.Errorf("%w: delayMs must be 0 to 3600000 and times not negative", ErrRule)
	}
	s.rules = append(s.rules, r)
	return nil
}

// Rules lists the rules still in force; Times is what is left of each.
func (s *Sandbox) Rules() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Rule{}, s.rules...)
}

// ClearRules removes every rule.
func (s *Sandbox) ClearRules() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// take finds the rule for a call and uses it up once.
func (s *Sandbox) take(c Call) Rule {
	s.mu.Lock()
	for i, r := range s.rules {
		if (r.Route != "" && r.Route != c.Route) || (r.Route == "" && c.Route == RouteCallback) ||
			(r.Payer != "" && r.Payer != c.Payer) || (r.Reference != "" && r.Reference != c.Reference) {
			continue
		}
		if r.Times == 1 {
			s.rules = slices.Delete(s.rules, i, i+1)
		} else if r.Times > 1 {
			s.rules[i].Times--
		}
		s.mu.Unlock()
		return r
	}
	s.mu.Unlock()
	if s.opts.Inject != nil {
		if f := s.opts.Inject(c); f != "" {
			return Rule{Fault: f}
		}
	}
	return Rule{}
}
