package core

import (
	"encoding/json"
	"time"
)

// Script is what becomes of one payment, from the answer to its request to
// its last callback.
type Script struct {
	Name    string
	Meaning string   // one line for README.md
	For     []string // what asks for it: payer numbers, or an amount's cents

	// Submit is what happens to the request itself, for the first SubmitTimes
	// requests under one reference (0: for all).
	Submit      Fault
	SubmitTimes int
	// Refusal is an error code of the provider's answered instead of accepting.
	Refusal string
	// Steps are the states it goes through, oldest first. It is open from
	// acceptance to the first step.
	Steps []Step
	// Callbacks are those sent; none means that they are lost.
	Callbacks []Notice
	// Status is what happens to the first StatusTimes status answers (0: to
	// all).
	Status      Fault
	StatusTimes int
	// Hidden is how long after acceptance the status is still not found.
	Hidden time.Duration
	// Lag is how far status answers are behind the truth.
	Lag time.Duration
	// Invoice is how long after acceptance an invoice is there; 0: never.
	Invoice time.Duration
	// Immediate is the error code of a payment that is decided at once.
	Immediate string
}

// Step is a state reached so long after acceptance.
type Step struct {
	After  time.Duration
	Status string
	Reason string
}

// Notice is a callback sent so long after acceptance.
type Notice struct {
	After  time.Duration   `json:"-"`
	Kind   string          `json:"kind,omitempty"`   // the provider's name of the event; default that of the truth
	Method string          `json:"method,omitempty"` // default POST
	URL    string          `json:"url,omitempty"`    // default where callbacks go
	Status string          `json:"status,omitempty"` // claimed; default the truth when it is sent
	Reason string          `json:"reason,omitempty"`
	Bare   bool            `json:"bare,omitempty"`   // without amount and currency
	Again  bool            `json:"again,omitempty"`  // under the id of the last one
	Forged string          `json:"forged,omitempty"` // how somebody else sends it
	Body   json.RawMessage `json:"body,omitempty"`   // default what the provider would send
	Always bool            `json:"-"`                // whatever becomes of the payment
	ID     string          `json:"-"`                // of the event, on a further try
}

// Times are the waits of the scripts. A provider uses those that it needs.
type Times struct {
	Approve time.Duration // the payer approves, or whatever else ends the payment
	Slow    time.Duration // a payer who takes long
	Late    time.Duration // a late callback, after its time
	Repeat  time.Duration // between a callback and its repetition
	Lag     time.Duration // status answers behind the truth; Hidden too
	Ongoing time.Duration // payers who keep a payment open
	Expire  time.Duration // the payer's time to decide
	Invoice time.Duration // the invoice, after the payment
	Due     time.Duration // a reference, to its due date
	Long    time.Duration // longer than anybody waits
}

// Catalogue is scripts made searchable. It is never changed once made, so
// that many stand-ins share one.
type Catalogue struct {
	Scripts []Script
	byName  map[string]*Script
	byFor   map[string]*Script
}

// NewCatalogue makes scripts searchable. The first is the ordinary one.
func NewCatalogue(all []Script) *Catalogue {
	c := &Catalogue{all, make(map[string]*Script, len(all)), make(map[string]*Script, 2*len(all))}
	for i := range all {
		c.byName[all[i].Name] = &all[i]
		for _, n := range all[i].For {
			c.byFor[n] = &all[i]
		}
	}
	return c
}

// For is the script that a number or an amount's cents ask for; nil: none.
func (c *Catalogue) For(what string) *Script { return c.byFor[what] }

// Named is a script by its name; nil: there is none.
func (c *Catalogue) Named(name string) *Script { return c.byName[name] }

// Script is a named script with the stand-in's own times; ok is false for an
// unknown name.
func (s *Standin[T]) Script(name string) (sc Script, ok bool) {
	if found := s.provider.Scripts.byName[name]; found != nil {
		return *found, true
	}
	return Script{}, false
}

// ScriptMeaning is one row of GET /scripts.
type ScriptMeaning struct {
	For     []string `json:"for"` // what asks for it
	Name    string   `json:"name"`
	Meaning string   `json:"meaning"`
}

// Scripts lists what may become of a payment, and what asks for it.
func (s *Standin[T]) Scripts() []ScriptMeaning {
	var all []ScriptMeaning
	for _, sc := range s.provider.Scripts.Scripts {
		all = append(all, ScriptMeaning{sc.For, sc.Name, sc.Meaning})
	}
	return all
}

// Words for an outcome that every provider takes.
const (
	Approve = "approve"
	Decline = "decline"
	Expire  = "expire"
)

// Outcome is a provider's word for one of them: a script that comes to it, and
// the status of a payment that is set to it.
type Outcome struct{ Script, Status, Reason string }

// outcomeScript is the script of a rule's outcome; nil: there is none.
func (s *Standin[T]) outcomeScript(outcome string) *Script {
	if o, ok := s.provider.Outcomes[outcome]; ok {
		outcome = o.Script
	}
	return s.provider.Scripts.byName[outcome]
}

// Choice picks the script of a payment: a rule's, that of Options.Choose, or
// what the payment itself asks for.
func (s *Standin[T]) Choice(r *Request, asked *Script) *Script {
	if sc := s.outcomeScript(r.Rule.Outcome); sc != nil {
		return sc
	}
	if s.Choose != nil {
		if sc, ok := s.Choose(r.Call); ok {
			return &sc
		}
	}
	if asked != nil {
		return asked
	}
	return &s.provider.Scripts.Scripts[0]
}

// Catalogue is all scripts.
func (s *Standin[T]) Catalogue() *Catalogue { return s.provider.Scripts }
