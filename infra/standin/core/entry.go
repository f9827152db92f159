package core

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Entry is the truth about one reference: what was asked and whether money
// moved. It is what the provider's books say, not what its answers claim. It
// shares memory with the books: do not change what it holds.
type Entry struct {
	Provider  string            `json:"provider"`
	Reference string            `json:"reference"`
	IDs       map[string]string `json:"ids,omitempty"` // the provider's own
	Account   string            `json:"account,omitempty"`
	Method    string            `json:"method,omitempty"`
	Order     string            `json:"order,omitempty"` // the app's own number
	Payer     string            `json:"payer,omitempty"`
	Amount    string            `json:"amount"` // major units
	Currency  string            `json:"currency"`
	Script    string            `json:"script"`

	Asks       int `json:"asks"`       // requests for it that arrived, swallowed and refused ones included
	Accepted   int `json:"accepted"`   // times a payment was made of them
	Duplicates int `json:"duplicates"` // answered that it is there already
	Charges    int `json:"charges"`    // times money moved
	Polls      int `json:"polls"`      // times its status was asked for

	Status  string    `json:"status"` // empty: never accepted
	Reason  string    `json:"reason,omitempty"`
	Ended   bool      `json:"ended"`
	Since   time.Time `json:"since"` // of Status
	Created time.Time `json:"created"`

	InvoiceURL  string `json:"invoiceUrl,omitempty"`
	CallbackURL string `json:"callbackUrl,omitempty"`
	Callbacks   []Sent `json:"callbacks,omitempty"`
}

// Charge is money that has moved.
type Charge struct {
	Provider  string    `json:"provider"`
	Reference string    `json:"reference"`
	Order     string    `json:"order,omitempty"`
	Method    string    `json:"method,omitempty"`
	Payer     string    `json:"payer,omitempty"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	Times     int       `json:"times"` // more than once is a fault of whoever asked
	At        time.Time `json:"at"`    // the last time
}

// Ledger is the truth about everything that was ever asked for, oldest first.
func (s *Standin[T]) Ledger() []Entry {
	now := s.Now()
	s.Lock()
	defer s.Unlock()
	all := make([]Entry, 0, len(s.order))
	for _, p := range s.order {
		all = append(all, s.entry(p, now))
	}
	return all
}

// Charges lists what was charged, to whom and under which reference, oldest
// payment first.
func (s *Standin[T]) Charges() []Charge { return s.moved(false) }

// Payouts lists what was paid to whom: transfers and refunds.
func (s *Standin[T]) Payouts() []Charge { return s.moved(true) }

func (s *Standin[T]) moved(out bool) []Charge {
	now := s.Now()
	s.Lock()
	defer s.Unlock()
	all := []Charge{}
	for _, p := range s.order {
		if n := s.Charged(p, now); n > 0 && slices.Contains(s.provider.PaysOut, p.Method) == out {
			all = append(all, Charge{s.provider.Name, p.Reference, p.Order, p.Method, p.Payer, p.Amount, p.Currency, n, p.State(now).At})
		}
	}
	return all
}

// Payment finds an entry by any of its ids; ok is false when nothing was ever
// asked for under it.
func (s *Standin[T]) Payment(id string) (e Entry, ok bool) {
	now := s.Now()
	s.Lock()
	defer s.Unlock()
	if p := s.find(id); p != nil {
		return s.entry(p, now), true
	}
	return Entry{}, false
}

// Newest is the payment that was accepted last.
func (s *Standin[T]) Newest() (e Entry, ok bool) {
	now := s.Now()
	s.Lock()
	defer s.Unlock()
	if s.newest == nil {
		return Entry{}, false
	}
	return s.entry(s.newest, now), true
}

func (s *Standin[T]) entry(p *Payment[T], now time.Time) Entry {
	m := p.State(now)
	return Entry{
		Provider: s.provider.Name, Reference: p.Reference, IDs: p.IDs, Account: p.Account, Method: p.Method, Order: p.Order,
		Payer: p.Payer, Amount: p.Amount, Currency: p.Currency, Script: p.ScriptName,
		Asks: p.Asks, Accepted: p.Accepted, Duplicates: p.Duplicates, Charges: s.Charged(p, now), Polls: p.Polls,
		Status: m.Status, Reason: m.Reason, Ended: slices.Contains(s.provider.Final, m.Status), Since: m.At, Created: p.Created,
		InvoiceURL: p.Invoice(now), CallbackURL: p.CallbackURL, Callbacks: slices.Clip(p.Sent),
	}
}

// Sentinels of what is done by hand, for errors.Is.
var (
	ErrUnknown = errors.New("no such payment")
	ErrStale   = errors.New("the money has moved already")
	ErrNoURL   = errors.New("no callback URL was given")
	ErrWord    = errors.New("no such word")
)

// accepted finds a payment that was made. Call with the lock held.
func (s *Standin[T]) accepted(id string) (*Payment[T], error) {
	p := s.find(id)
	if p == nil || p.Accepted == 0 {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	return p, nil
}

// SetOutcome ends a payment now, whatever its script says, and drops the
// callbacks still to come; callback says whether those that tell the new truth
// are sent. outcome is Approve, Decline, Expire or a status of the provider's.
// A payment that succeeded stays so (ErrStale); one that failed may still
// succeed.
func (s *Standin[T]) SetOutcome(id, outcome, reason string, callback bool) error {
	now := s.Now()
	s.Lock()
	defer s.Unlock()
	p, err := s.accepted(id)
	if err != nil {
		return err
	}
	if s.Charged(p, now) > p.PastCharges {
		return fmt.Errorf("%w: %q", ErrStale, id)
	}
	to := s.word(outcome)
	to.At = now
	if reason != "" {
		to.Reason = reason
	}
	steps := []State{to}
	if s.provider.Settle != nil {
		if steps, err = s.provider.Settle(p, to); err != nil {
			return err
		}
		to = steps[0]
	}
	p.Steps = append(slices.DeleteFunc(p.Steps, func(m State) bool { return m.At.After(now) }), steps...)
	for _, n := range p.Pending {
		if !n.Notice.Always {
			s.drop(n.timer)
		}
	}
	p.Pending = slices.DeleteFunc(p.Pending, func(n *Pending) bool { return !n.Notice.Always })
	switch {
	case callback && s.provider.Announce != nil:
		for _, n := range s.provider.Announce(p, to) {
			s.Notify(p, n, n.After)
		}
	case callback:
		s.Notify(p, Notice{}, 0)
	}
	s.Save(p)
	return nil
}

// word is a state in the provider's words.
func (s *Standin[T]) word(outcome string) State {
	if o, ok := s.provider.Outcomes[outcome]; ok {
		return State{Status: o.Status, Reason: o.Reason}
	}
	return State{Status: outcome}
}

// Forget makes the provider forget a reference: its status is not found, and a
// request under it is taken for a new one.
func (s *Standin[T]) Forget(id string) error {
	s.Lock()
	defer s.Unlock()
	p := s.find(id)
	if p == nil {
		return fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	p.Forgotten = true
	s.Save(p)
	return nil
}
