package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// payment is the provider's record of one reference id.
type payment struct {
	reference   string
	account     *user
	ask         ask
	amount      string // as given back
	callbackURL string
	plan        Plan
	planned     bool // plan has been chosen

	asks, tries, accepted, duplicates, gets int

	acceptedAt    time.Time
	steps         []moment // what is true from when on; the first is acceptance
	transactionID string
	pastCharges   int // under this reference, before it was forgotten
	forgotten     bool

	pending []*scheduled
	sent    []SentCallback
}

// moment is a state and since when it holds.
type moment struct {
	at             time.Time
	status, reason string
}

// live reports whether the reference is taken.
func (p *payment) live(at time.Time, remember time.Duration) bool {
	if p.accepted > 0 && remember > 0 && at.Sub(p.acceptedAt) >= remember {
		p.forgotten = true
	}
	return p.accepted > 0 && !p.forgotten
}

// state is what held at a time.
func (p *payment) state(at time.Time) moment {
	var m moment
	for i, st := range p.steps {
		if i == 0 || !st.at.After(at) {
			m = st
		}
	}
	return m
}

// charges counts how often money has moved by then.
func (p *payment) charges(at time.Time) int {
	for _, st := range p.steps {
		if st.status == "SUCCESSFUL" && !st.at.After(at) {
			return p.pastCharges + 1
		}
	}
	return p.pastCharges
}

// ended reports a state that MTN calls final.
func (m moment) ended() bool { return m.status == "SUCCESSFUL" || m.status == "FAILED" }

// Entry is the truth about one reference id: what was asked and whether money
// moved. It is what the provider's books say, not what its answers claim.
type Entry struct {
	Provider   string `json:"provider"`
	Reference  string `json:"reference"`
	ExternalID string `json:"externalId"`
	Account    string `json:"account"` // API user
	Payer      string `json:"payer"`
	Amount     string `json:"amount"` // major units, as given back
	Currency   string `json:"currency"`
	Plan       string `json:"plan"`

	Asks       int `json:"asks"`       // requests to pay that arrived, swallowed and refused ones included
	Accepted   int `json:"accepted"`   // 0, or 1; more only if the reference was forgotten between
	Duplicates int `json:"duplicates"` // answered 409
	Charges    int `json:"charges"`    // times money moved
	GETs       int `json:"gets"`       // times the status was asked for

	Status  string    `json:"status"` // "" when never accepted
	Reason  string    `json:"reason,omitempty"`
	Ended   bool      `json:"ended"`
	Since   time.Time `json:"since"` // of Status
	Created time.Time `json:"created"`

	FinancialTransactionID string         `json:"financialTransactionId,omitempty"`
	CallbackURL            string         `json:"callbackUrl,omitempty"`
	Callbacks              []SentCallback `json:"callbacks,omitempty"`
}

// SentCallback is one callback that was sent, or tried.
type SentCallback struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	URL    string    `json:"url"`
	Status string    `json:"status"` // what it claimed
	Forged bool      `json:"forged,omitempty"`
	Try    int       `json:"try"`            // 1 is the first
	Code   int       `json:"code,omitempty"` // answered; 0 when no answer came
	Err    string    `json:"err,omitempty"`
}

// Ledger is the truth about every reference id that was ever asked for,
// oldest first.
func (s *Sandbox) Ledger() []Entry {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Entry, 0, len(s.mtn.order))
	for _, p := range s.mtn.order {
		all = append(all, p.entry(now))
	}
	return all
}

// Payment is one entry of the Ledger; ok is false when the reference was
// never asked for.
func (s *Sandbox) Payment(reference string) (e Entry, ok bool) {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.mtn.payments[strings.ToLower(reference)]; p != nil {
		return p.entry(now), true
	}
	return Entry{}, false
}

func (p *payment) entry(now time.Time) Entry {
	m := p.state(now)
	e := Entry{
		Provider: "mtn", Reference: p.reference, ExternalID: p.ask.ExternalID, Payer: p.ask.Payer.PartyID,
		Amount: p.amount, Plan: p.plan.Name,
		Asks: p.asks, Accepted: p.accepted, Duplicates: p.duplicates, Charges: p.charges(now), GETs: p.gets,
		Status: m.status, Reason: m.reason, Ended: m.ended(), Since: m.at, Created: p.acceptedAt,
		CallbackURL: p.callbackURL, Callbacks: slices.Clone(p.sent),
	}
	if p.account != nil {
		e.Account, e.Currency = p.account.id, p.account.currency
	}
	if m.status == "SUCCESSFUL" {
		e.FinancialTransactionID = p.transactionID
	}
	return e
}

// Sentinels of SetOutcome and SendCallback, for errors.Is.
var (
	ErrUnknown = errors.New("no such payment")
	ErrStale   = errors.New("the money has moved already")
	ErrNoURL   = errors.New("no callback URL was given")
)

// SetOutcome ends a payment now, whatever its script says, and drops the
// callbacks still to come; callback says whether one telling the new truth is
// sent. status may be any word. A payment that succeeded stays so
// (ErrStale); one that failed may still succeed.
func (s *Sandbox) SetOutcome(reference, status, reason string, callback bool) error {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mtn.payments[strings.ToLower(reference)]
	if p == nil || p.accepted == 0 {
		return fmt.Errorf("%w: %q", ErrUnknown, reference)
	}
	if p.charges(now) > p.pastCharges {
		return fmt.Errorf("%w: %q", ErrStale, reference)
	}
	p.steps = slices.DeleteFunc(p.steps, func(m moment) bool { return m.at.After(now) })
	p.steps = append(p.steps, moment{now, status, reason})
	for _, n := range p.pending {
		s.drop(n.timer)
	}
	p.pending = nil
	if callback {
		s.notify(p, Notice{Method: http.MethodPost}, 0, 0)
	}
	s.keep(p)
	return nil
}

// Forget makes the provider forget a reference id: its status is 404 and a
// request under it is taken for a new one. How long MTN remembers is not
// published.
func (s *Sandbox) Forget(reference string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mtn.payments[strings.ToLower(reference)]
	if p == nil {
		return fmt.Errorf("%w: %q", ErrUnknown, reference)
	}
	p.forgotten = true
	s.keep(p)
	return nil
}
