package momentpay

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/sandbox/line"
)

// Fault is one way in which an exchange goes wrong.
type Fault string

// Faults of an exchange. Those named …_before strike before the request is
// acted on, those named …_after when it has been. Only the two named …_kept
// are MomentPay's own answer and are kept under the key; the others are
// somebody's on the way.
const (
	ResetBefore     Fault = "reset_before"
	ResetAfter      Fault = "reset_after"
	TimeoutBefore   Fault = "timeout_before"
	TimeoutAfter    Fault = "timeout_after"
	Error500Before  Fault = "error500_before"
	Error500After   Fault = "error500_after"
	Error503Before  Fault = "error503_before"
	KeptErrorBefore Fault = "error500_kept_before"
	KeptErrorAfter  Fault = "error500_kept_after"
	TooMany         Fault = "error429_before"
	Conflict        Fault = "error409_before"
	Invalid         Fault = "error400_before"
	Unauthorised    Fault = "error401_before"
	Forbidden       Fault = "error403_before"
	NotFound        Fault = "not_found"
	NoSuchPage      Fault = "html404_before"
	HTMLBefore      Fault = "html200_before"
	HTMLAfter       Fault = "html200_after"
	Truncated       Fault = "truncated"
	Endless         Fault = "endless"
	Echo            Fault = "echo"

	UnknownStatus  Fault = "unknown_status"
	WrongAmount    Fault = "wrong_amount"
	WrongCurrency  Fault = "wrong_currency"
	WrongReference Fault = "wrong_reference"
	OtherRequest   Fault = "other_request"
	NoAmount       Fault = "no_amount"
	NoLink         Fault = "no_link"
	StringAmount   Fault = "string_amount"

	LostWebhook     Fault = "lost"
	RepeatedWebhook Fault = "repeated"
)

type faultKind struct {
	meaning string // one line for README.md
	before  bool
	answer  func(*Sandbox, *incoming, line.Answer) line.Answer
	bend    func(map[string]any) // a change of a request as it is shown
	notice  bool                 // a fault of a webhook
}

func says(code int, name string) func(*Sandbox, *incoming, line.Answer) line.Answer {
	return func(s *Sandbox, _ *incoming, _ line.Answer) line.Answer {
		return s.refusal(code, name, "Refused by a fault.")
	}
}

func fate(f line.Fate) func(*Sandbox, *incoming, line.Answer) line.Answer {
	return func(_ *Sandbox, _ *incoming, a line.Answer) line.Answer { a.Fate = f; return a }
}

func shows(code int, text string) func(*Sandbox, *incoming, line.Answer) line.Answer {
	return func(*Sandbox, *incoming, line.Answer) line.Answer { return page(code, text) }
}

var faults = map[Fault]faultKind{
	ResetBefore:     {meaning: "connection reset, not acted on", before: true, answer: fate(line.Resets)},
	ResetAfter:      {meaning: "acted on, then reset", answer: fate(line.Resets)},
	TimeoutBefore:   {meaning: "swallowed, no answer", before: true, answer: fate(line.Hangs)},
	TimeoutAfter:    {meaning: "acted on, no answer", answer: fate(line.Hangs)},
	Error500Before:  {meaning: "500 on the way, not acted on", before: true, answer: says(500, "internal_error")},
	Error500After:   {meaning: "500 on the way, though acted on", answer: says(500, "internal_error")},
	Error503Before:  {meaning: "503 on the way, not acted on", before: true, answer: says(503, "unavailable")},
	KeptErrorBefore: {meaning: "500, not acted on, and kept under the key"},
	KeptErrorAfter:  {meaning: "500 though acted on, and kept under the key"},
	TooMany:         {meaning: "429, not acted on", before: true, answer: says(429, "rate_limited")},
	Conflict:        {meaning: "409, not acted on", before: true, answer: says(409, "conflict")},
	Invalid:         {meaning: "400, not acted on", before: true, answer: says(400, "invalid_request")},
	Unauthorised:    {meaning: "401, not acted on", before: true, answer: says(401, "unauthorized")},
	Forbidden:       {meaning: "403, not acted on", before: true, answer: says(403, "forbidden")},
	NotFound:        {meaning: "404, not acted on", before: true, answer: says(404, "not_found")},
	NoSuchPage:      {meaning: "404 with a web page, not acted on", before: true, answer: shows(404, "Not Found")},
	HTMLBefore:      {meaning: "200 with a web page, not acted on", before: true, answer: shows(200, "Request Rejected")},
	HTMLAfter:       {meaning: "the same though acted on", answer: shows(200, "Request Rejected")},
	Truncated:       {meaning: "acted on, the answer breaks off", answer: fate(line.BreaksOff)},
	Endless:         {meaning: "an answer that never ends, not acted on", before: true, answer: endless},
	Echo:            {meaning: "500 that repeats the request's headers, not acted on", before: true, answer: echo},

	UnknownStatus:  {meaning: "a status word nobody documented", bend: func(v map[string]any) { v["status"] = "on_hold" }},
	WrongAmount:    {meaning: "another amount", bend: func(v map[string]any) { v["amount"] = v["amount"].(int64) + 100 }},
	WrongCurrency:  {meaning: "another currency", bend: func(v map[string]any) { v["currency"] = "USD" }},
	WrongReference: {meaning: "another external_reference", bend: func(v map[string]any) { v["external_reference"] = "11111111-1111-4111-8111-111111111111" }},
	OtherRequest: {meaning: "the success of another request", bend: func(v map[string]any) {
		v["id"], v["status"], v["external_reference"] = "pr_another", "paid", "11111111-1111-4111-8111-111111111111"
	}},
	NoAmount:     {meaning: "no amount", bend: func(v map[string]any) { delete(v, "amount") }},
	NoLink:       {meaning: "no link", bend: func(v map[string]any) { delete(v, "link") }},
	StringAmount: {meaning: "the amount as text", bend: func(v map[string]any) { v["amount"] = fmt.Sprint(v["amount"]) }},

	LostWebhook:     {meaning: "webhook never sent", notice: true},
	RepeatedWebhook: {meaning: "webhook sent twice, Repeat apart", notice: true},
}

func endless(*Sandbox, *incoming, line.Answer) line.Answer {
	a := page(200, strings.Repeat("all work and no pay ", 200))
	a.Fate = line.NeverEnds
	return a
}

func echo(_ *Sandbox, in *incoming, _ line.Answer) line.Answer {
	return jsonOf(500, map[string]any{"code": "internal_error", "message": fmt.Sprint(in.Header), "headers": in.Header})
}

// Faults lists every fault there is, sorted.
func Faults() []Fault { return slices.Sorted(maps.Keys(faults)) }

// Meaning says in a few words what the caller meets.
func (f Fault) Meaning() string { return faults[f].meaning }

// ErrRule is wrapped by every refusal of AddRule.
var ErrRule = errors.New("invalid rule")

// Rule makes exchanges go wrong. Empty fields match everything, but webhooks
// are met by rules that name their route only.
type Rule struct {
	Route     string `json:"route,omitempty"` // a Route constant
	Reference string `json:"reference,omitempty"`
	Fault     Fault  `json:"fault,omitempty"`
	DelayMS   int64  `json:"delayMs,omitempty"` // answer this late, milliseconds
	Times     int    `json:"times,omitempty"`   // for so many exchanges; 0: until removed
}

// AddRule adds a rule after those there are. The error wraps ErrRule.
func (s *Sandbox) AddRule(r Rule) error {
	f, known := faults[r.Fault]
	switch {
	case r.Route != "" && !slices.Contains(routes, r.Route):
		return fmt.Errorf("%w: route %q is none of %v", ErrRule, r.Route, routes)
	case r.Fault != "" && !known:
		return fmt.Errorf("%w: fault %q is none of %v", ErrRule, r.Fault, Faults())
	case r.Fault != "" && f.notice != (r.Route == RouteWebhook):
		return fmt.Errorf("%w: faults %q and %q, and no others, are for route %q", ErrRule, LostWebhook, RepeatedWebhook, RouteWebhook)
	case r.Fault == "" && r.DelayMS == 0:
		return fmt.Errorf("%w: names neither fault nor delayMs", ErrRule)
	case r.DelayMS < 0 || r.DelayMS > int64(time.Hour/time.Millisecond) || r.Times < 0:
		return fmt.Errorf("%w: delayMs must be 0 to 3600000 and times not negative", ErrRule)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
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
		if (r.Route != "" && r.Route != c.Route) || (r.Route == "" && c.Route == RouteWebhook) || (r.Reference != "" && r.Reference != c.Reference) {
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
		return Rule{Fault: s.opts.Inject(c)}
	}
	return Rule{}
}
