package core

import (
	"slices"
	"strings"
	"time"
)

// Payment is a provider's record of one reference, or of one request for a
// payment that names none. Its exported fields are kept.
type Payment[T any] struct {
	Key       string            // of its own among all; default Reference
	Reference string            // by which charges, rules and control calls name it
	IDs       map[string]string // others that it is known by; set once
	Account   string
	Method    string
	Order     string // the app's own number, where the provider is told it
	Payer     string
	Amount    string // exact decimal in major units
	Currency  string

	CallbackURL string
	ScriptName  string

	Asks, Tries, Accepted, Duplicates, Polls int

	Created     time.Time
	Steps       []State // what is true from when on; the first is acceptance
	PastCharges int     // under this reference, before it was forgotten
	Forgotten   bool
	InvoiceURL  string // once InvoiceAt has come
	InvoiceAt   time.Time
	Pending     []*Pending
	Sent        []Sent // only ever appended to

	Own T // the provider's

	script   *Script
	polledAt time.Time
}

// State is a status and since when it holds.
type State struct {
	At             time.Time
	Status, Reason string
}

// State is what held at a time.
func (p *Payment[T]) State(at time.Time) State {
	var m State
	for i, st := range p.Steps {
		if i == 0 || !st.At.After(at) {
			m = st
		}
	}
	return m
}

// Invoice is the address of its invoice at a time; empty: there is none.
func (p *Payment[T]) Invoice(at time.Time) string {
	if p.InvoiceAt.After(at) {
		return ""
	}
	return p.InvoiceURL
}

// Script is what becomes of it.
func (p *Payment[T]) Script() *Script {
	if p.script == nil {
		return &Script{Name: p.ScriptName}
	}
	return p.script
}

// SetScript chooses what becomes of it.
func (p *Payment[T]) SetScript(sc *Script) { p.script, p.ScriptName = sc, sc.Name }

// Chosen says whether that has been done.
func (p *Payment[T]) Chosen() bool { return p.script != nil }

// ever is later than anything that can be scheduled.
var ever = time.Unix(1<<40, 0)

// Charged counts how often money has moved by then. Call with the lock held.
func (s *Standin[T]) Charged(p *Payment[T], at time.Time) int {
	for _, st := range p.Steps {
		if st.Status == s.provider.Charged && !st.At.After(at) {
			return p.PastCharges + 1
		}
	}
	return p.PastCharges
}

// Payments are all there are, oldest first. Call with the lock held.
func (s *Standin[T]) Payments() []*Payment[T] { return s.order }

// Find is the newest payment with an id; nil: there is none. Call with the
// lock held.
func (s *Standin[T]) Find(id string) *Payment[T] { return s.byID[id] }

func (s *Standin[T]) find(id string) *Payment[T] {
	if p := s.byID[id]; p != nil {
		return p
	}
	return s.byID[strings.ToLower(id)]
}

// Ask counts a request for a payment: it finds or starts the record of its
// reference. Call with the lock held.
func (s *Standin[T]) Ask(c Call) *Payment[T] {
	p := s.byID[c.Reference]
	if c.Reference == "" || p == nil {
		p = s.Add(&Payment[T]{Reference: c.Reference, Payer: c.Payer, Amount: c.Amount})
	}
	p.Asks++
	return p
}

// Add takes a record into the books, and drops what is too much. Call with
// the lock held.
func (s *Standin[T]) Add(p *Payment[T]) *Payment[T] {
	s.order = append(s.order, p)
	s.index(p)
	for len(s.order) > s.Most {
		s.dropOldest()
	}
	return p
}

// index makes a payment found by all its ids.
func (s *Standin[T]) index(p *Payment[T]) {
	for _, id := range p.ids() {
		s.byID[id] = p
	}
}

// Rename gives a payment another reference. Call with the lock held.
func (s *Standin[T]) Rename(p *Payment[T], reference string) {
	if s.byID[p.Reference] == p {
		delete(s.byID, p.Reference)
	}
	p.Reference = reference
	s.index(p)
}

func (p *Payment[T]) ids() []string {
	all := make([]string, 0, 2+len(p.IDs))
	if p.Key != "" {
		all = append(all, p.Key)
	}
	if p.Reference != "" {
		all = append(all, p.Reference)
	}
	for _, id := range p.IDs {
		all = append(all, id)
	}
	return all
}

func (s *Standin[T]) dropOldest() {
	now := s.Now()
	i := max(0, slices.IndexFunc(s.order, func(p *Payment[T]) bool { return s.ended(p, now) }))
	p := s.order[i]
	s.order = slices.Delete(s.order, i, i+1)
	for _, id := range p.ids() {
		if s.byID[id] == p {
			delete(s.byID, id)
		}
	}
	for _, n := range p.Pending {
		s.drop(n.timer)
	}
}

// ended says whether nothing more becomes of a payment by itself.
func (s *Standin[T]) ended(p *Payment[T], at time.Time) bool {
	if p.Accepted == 0 {
		return true
	}
	last := p.Steps[len(p.Steps)-1]
	return slices.Contains(s.provider.Final, last.Status) && !last.At.After(at) && len(p.Pending) == 0
}

// Try has a request for a payment meet what its script has happen to the
// request itself, or else makes the payment. Call with the lock held.
func (s *Standin[T]) Try(r *Request, p *Payment[T], accept func() Answer) Answer {
	sc, f := p.Script(), Fault("")
	p.Tries++
	if sc.SubmitTimes == 0 || p.Tries <= sc.SubmitTimes {
		f = sc.Submit
	}
	switch {
	case s.Before(f):
		return s.Spoil(f, r, Answer{})
	case sc.Refusal != "":
		return s.provider.Refusal(sc.Refusal)
	}
	if r.Rule.Fault == "" {
		r.Rule.Fault = f // it strikes on the way out
		return accept()
	}
	return s.Spoil(f, r, accept())
}

// Accept starts a payment's life as its script says. Call with the lock held.
func (s *Standin[T]) Accept(p *Payment[T], at time.Time) {
	p.PastCharges = s.Charged(p, ever) // what was forgotten may still be paid
	p.Forgotten = false
	p.Accepted++
	p.Created = at
	p.Steps = nil
	sc := p.Script()
	for _, st := range sc.Steps {
		p.Steps = append(p.Steps, State{at.Add(st.After), st.Status, st.Reason})
	}
	if len(sc.Steps) == 0 || sc.Steps[0].After > 0 {
		p.Steps = append([]State{{At: at, Status: s.provider.Open}}, p.Steps...)
	}
	s.index(p)
	s.newest = p
	for _, n := range sc.Callbacks {
		s.Notify(p, n, n.After)
	}
	s.Save(p)
}

// Poll counts a question about a payment, and says which fault its script has
// for the answer. Call with the lock held.
func (s *Standin[T]) Poll(p *Payment[T]) Fault {
	p.Polls++
	sc := p.Script()
	if sc.StatusTimes == 0 || p.Polls <= sc.StatusTimes {
		return sc.Status
	}
	return ""
}
