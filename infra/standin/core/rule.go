package core

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrRule is wrapped by every refusal of AddRule.
var ErrRule = errors.New("invalid rule")

// Rule makes matching exchanges go wrong, or payments go another way. The
// first rule that matches is used, once per exchange.
type Rule struct {
	Route string `json:"route,omitempty"` // empty: every request, and no callback
	Match Match  `json:"match,omitzero"`
	Fault Fault  `json:"fault,omitempty"`
	// DelayMs is how late the answer comes, or the callback.
	DelayMs int64 `json:"delayMs,omitempty"`
	// Outcome is the script of the payments asked for, by its name or as
	// Approve, Decline or Expire.
	Outcome string `json:"outcome,omitempty"`
	Times   int    `json:"times,omitempty"` // for so many exchanges; 0: until removed
}

// Match says which exchanges a rule is for. What is empty matches everything.
type Match struct {
	Reference string `json:"reference,omitempty"` // any id of the payment; of a refund also the payment's that it is of
	Payer     string `json:"payer,omitempty"`
	Amount    string `json:"amount,omitempty"`
}

const longestDelay = time.Hour

// AddRule adds a rule after those there are. The error wraps ErrRule.
func (s *Standin[T]) AddRule(r Rule) error {
	f, known := s.faults[r.Fault]
	switch {
	case r.Route != "" && r.Route != RouteCallback && !slices.Contains(s.provider.Routes, r.Route):
		return fmt.Errorf("%w: route %q is none of %v", ErrRule, r.Route, append(slices.Clone(s.provider.Routes), RouteCallback))
	case r.Fault != "" && !known:
		return fmt.Errorf("%w: there is no fault %q: GET /faults lists them", ErrRule, r.Fault)
	case r.Fault != "" && len(f.Routes) > 0 && !slices.Contains(f.Routes, r.Route):
		return fmt.Errorf("%w: fault %q needs one of the routes %v", ErrRule, r.Fault, f.Routes)
	case r.Fault != "" && !f.callback && r.Route == RouteCallback:
		return fmt.Errorf("%w: faults of route %q are %q and %q", ErrRule, RouteCallback, Lost, Repeated)
	case r.Outcome != "" && s.outcomeScript(r.Outcome) == nil:
		return fmt.Errorf("%w: outcome %q is neither a script nor %q, %q or %q", ErrRule, r.Outcome, Approve, Decline, Expire)
	case r.Outcome != "" && r.Route != "" && !slices.Contains(s.provider.Paying, r.Route):
		return fmt.Errorf("%w: an outcome needs one of the routes %v", ErrRule, s.provider.Paying)
	case r.Fault == "" && r.Outcome == "" && r.DelayMs == 0:
		return fmt.Errorf("%w: it names neither fault, outcome nor delayMs", ErrRule)
	case r.DelayMs < 0 || r.DelayMs > longestDelay.Milliseconds() || r.Times < 0:
		return fmt.Errorf("%w: delayMs must be 0 to %d and times not negative", ErrRule, longestDelay.Milliseconds())
	}
	s.Lock()
	defer s.Unlock()
	s.rules = append(s.rules, r)
	return nil
}

// Rules lists the rules still in force; Times is what is left of each.
func (s *Standin[T]) Rules() []Rule {
	s.Lock()
	defer s.Unlock()
	return append([]Rule{}, s.rules...)
}

// ClearRules removes every rule.
func (s *Standin[T]) ClearRules() {
	s.Lock()
	defer s.Unlock()
	s.rules = nil
}

// take finds the rule for a call and uses it up once.
func (s *Standin[T]) take(c Call) Rule {
	s.Lock()
	for i, r := range s.rules {
		if !s.matches(r, c) {
			continue
		}
		if r.Times == 1 {
			s.rules = slices.Delete(s.rules, i, i+1)
		} else if r.Times > 1 {
			s.rules[i].Times--
		}
		s.Unlock()
		return r
	}
	s.Unlock()
	if s.Inject != nil {
		return Rule{Fault: s.Inject(c)}
	}
	return Rule{}
}

func (s *Standin[T]) matches(r Rule, c Call) bool {
	m := r.Match
	switch {
	case r.Route == "" && c.Route == RouteCallback, r.Route != "" && r.Route != c.Route,
		r.Outcome != "" && !slices.Contains(s.provider.Paying, c.Route),
		m.Payer != "" && m.Payer != c.Payer, m.Amount != "" && m.Amount != c.Amount:
		return false
	case m.Reference == "" || m.Reference == c.Reference || m.Reference == c.Original:
		return true
	}
	p := s.find(m.Reference)
	return p != nil && p == s.find(c.Reference)
}

func (r Rule) delay() time.Duration { return time.Duration(r.DelayMs) * time.Millisecond }
