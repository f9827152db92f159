package momfactura

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"momoproxy/infra/sandbox/line"
)

// Fault is one way in which an exchange goes wrong.
type Fault string

// Faults of an exchange. Those named …_before strike before the request is
// acted on; those named …_after strike when it has been, so that only the
// answer is lost or wrong.
const (
	TimeoutBefore       Fault = "timeout_before"
	TimeoutAfter        Fault = "timeout_after"
	ResetBefore         Fault = "reset_before"
	ResetAfter          Fault = "reset_after"
	Error500Before      Fault = "error500_before"
	Error500After       Fault = "error500_after"
	GatewayTimeoutAfter Fault = "error504_after"
	TooMany             Fault = "error429_before"
	BadKey              Fault = "error401_before"
	BadDomain           Fault = "error403_before"
	Refuses             Fault = "error400_before"
	HTMLBefore          Fault = "html200_before"
	HTMLAfter           Fault = "html200_after"
	HTMLNotFound        Fault = "html404_before"
	NotFound            Fault = "not_found"
	Truncated           Fault = "truncated"
	Endless             Fault = "endless"
	Incomplete          Fault = "incomplete"
	UnknownCodeAfter    Fault = "unknown_code_after"
	UnknownWord         Fault = "unknown_word"
	OtherPayment        Fault = "other_payment"
	Echo                Fault = "echo"
	LostWebhook         Fault = "lost"
	DoubledWebhook      Fault = "doubled"
)

type faultKind struct {
	meaning string
	before  bool
	answer  func(line.Answer, *http.Request) line.Answer // instead of, or made from, the true one
	bend    func(map[string]any)                         // a change of a successful answer
	notice  bool                                         // a fault of a webhook
}

func instead(a line.Answer) func(line.Answer, *http.Request) line.Answer {
	return func(line.Answer, *http.Request) line.Answer { return a }
}

func fated(f line.Fate) func(line.Answer, *http.Request) line.Answer {
	return func(a line.Answer, _ *http.Request) line.Answer { a.Fate = f; return a }
}

var faults = map[Fault]faultKind{
	TimeoutBefore:       {meaning: "swallowed, no answer", before: true, answer: fated(line.Hangs)},
	TimeoutAfter:        {meaning: "acted on, no answer", answer: fated(line.Hangs)},
	ResetBefore:         {meaning: "connection reset, not acted on", before: true, answer: fated(line.Resets)},
	ResetAfter:          {meaning: "acted on, then reset", answer: fated(line.Resets)},
	Error500Before:      {meaning: "500 INTERNAL_ERROR, not acted on", before: true, answer: instead(internalError)},
	Error500After:       {meaning: "500 INTERNAL_ERROR though acted on", answer: instead(internalError)},
	GatewayTimeoutAfter: {meaning: "504 page of a gateway though acted on", answer: instead(page(504, "504 Gateway Time-out"))},
	TooMany:             {meaning: "429 PAYMENT_RATE_LIMIT_EXCEEDED, not acted on", before: true, answer: instead(refusal(429, "PAYMENT_RATE_LIMIT_EXCEEDED", "Limite de pagamentos excedido"))},
	BadKey:              {meaning: "401 INVALID_API_KEY, not acted on", before: true, answer: instead(refusal(401, "INVALID_API_KEY", "API key inválida"))},
	BadDomain:           {meaning: "403 DOMAIN_NOT_ALLOWED, not acted on", before: true, answer: instead(refusal(403, "DOMAIN_NOT_ALLOWED", "Domínio não autorizado"))},
	Refuses:             {meaning: "400 INVALID_AMOUNT, not acted on", before: true, answer: instead(refusal(400, "INVALID_AMOUNT", "Valor inválido"))},
	HTMLBefore:          {meaning: "200 with an HTML page, not acted on", before: true, answer: instead(page(200, "Bem-vindo"))},
	HTMLAfter:           {meaning: "200 with an HTML page though acted on", answer: instead(page(200, "Bem-vindo"))},
	HTMLNotFound:        {meaning: "404 page of a gateway, not acted on", before: true, answer: instead(page(404, "Not Found"))},
	NotFound:            {meaning: "404 PAYMENT_NOT_FOUND, not acted on", before: true, answer: instead(refusal(404, "PAYMENT_NOT_FOUND", "Pagamento não encontrado"))},
	Truncated:           {meaning: "acted on, the answer breaks off", answer: fated(line.BreaksOff)},
	Endless:             {meaning: "acted on, the answer never ends", answer: fated(line.NeverEnds)},
	Incomplete:          {meaning: "acted on, the answer says success and nothing else", answer: instead(jsonOf(200, map[string]any{"success": true}))},
	UnknownCodeAfter:    {meaning: "400 NO_RESPONSE, a code nobody documented, though acted on", answer: instead(refusal(400, "NO_RESPONSE", "Sem resposta"))},
	UnknownWord:         {meaning: "a status word nobody documented", bend: func(m map[string]any) { inside(m)["status"] = "ON_HOLD" }},
	OtherPayment:        {meaning: "paid, with another payment's operationId", bend: func(m map[string]any) { inside(m)["status"], m["operationId"] = Paid, "op-another" }},
	Echo:                {meaning: "500 with the request's headers in its text, not acted on", before: true, answer: echo},
	LostWebhook:         {meaning: "webhook never sent", notice: true},
	DoubledWebhook:      {meaning: "webhook sent twice", notice: true},
}

// inside is where a status answer has its word.
func inside(m map[string]any) map[string]any {
	if nested, ok := m["payment"].(map[string]any); ok {
		return nested
	}
	return m
}

func echo(_ line.Answer, r *http.Request) line.Answer {
	return refusal(500, "INTERNAL_ERROR", fmt.Sprint(r.Header))
}

// Faults lists every fault there is with what it does, sorted by name.
func Faults() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		all = append(all, string(name)+": "+faults[name].meaning)
	}
	return all
}

// ErrRule is wrapped by every refusal of AddRule.
var ErrRule = errors.New("invalid rule")

// Rule makes matching requests go wrong. Empty matchers match everything but
// webhooks. The first rule that matches is used, once per request.
type Rule struct {
	Route   string `json:"route,omitempty"`   // a Route constant
	ID      string `json:"id,omitempty"`      // any id of the payment; status and webhook only
	Fault   Fault  `json:"fault,omitempty"`   //
	DelayMS int64  `json:"delayMs,omitempty"` // answer this late, milliseconds
	Times   int    `json:"times,omitempty"`   // for so many requests; 0: until removed
}

// AddRule adds a rule after those there are. The error wraps ErrRule.
func (s *Sandbox) AddRule(r Rule) error {
	f, known := faults[r.Fault]
	switch {
	case r.Route != "" && !slices.Contains(routes, r.Route):
		return fmt.Errorf("%w: route %q is none of %v", ErrRule, r.Route, routes)
	case r.Fault != "" && !known:
		return fmt.Errorf("%w: fault %q is none of %v", ErrRule, r.Fault, slices.Sorted(maps.Keys(faults)))
	case f.bend != nil && r.Route != RouteStatus:
		return fmt.Errorf("%w: fault %q needs route %q", ErrRule, r.Fault, RouteStatus)
	case f.notice != (r.Route == RouteWebhook) && r.Fault != "":
		return fmt.Errorf("%w: faults %q and %q, and no others, are for route %q", ErrRule, LostWebhook, DoubledWebhook, RouteWebhook)
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
		if r.Route != "" && r.Route != c.Route || r.Route == "" && c.Route == RouteWebhook ||
			r.ID != "" && (s.byID[r.ID] == nil || s.byID[r.ID] != s.byID[c.ID]) {
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

// Answers.

func jsonOf(code int, v any) line.Answer {
	b, _ := json.Marshal(v) // maps and structs of plain values: cannot fail
	return line.Answer{Code: code, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: b}
}

// refusal has the documented shape of an error. The HTTP numbers are likely
// ones: the provider publishes one of them.
func refusal(status int, code, message string) line.Answer {
	return jsonOf(status, struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
		Code    string `json:"code"`
	}{false, message, code})
}

var internalError = refusal(500, "INTERNAL_ERROR", "Erro interno")

func page(code int, title string) line.Answer {
	return line.Answer{
		Code: code, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body: []byte("<html><head><title>" + title + "</title></head><body>" + title + "</body></html>"),
	}
}
