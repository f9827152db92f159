package momfactura

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// States of a payment, in the skill's words and the integrators'.
const (
	Pending   = "pending"
	Paid      = "paid"
	Cancelled = "cancelled"
	Expired   = "expired"
	Failed    = "failed"
	Rejected  = "rejected"
	Errored   = "error"
)

// Entry is the truth about one payment: what the provider's books say, not
// what its answers claim.
type Entry struct {
	Method          string    `json:"method"` // RouteMCX, RouteReference or RouteEkwanza
	Amount          string    `json:"amount"` // Kwanza, as sent
	Payer           string    `json:"payer,omitempty"`
	QA              bool      `json:"qa"` // x-env-qa: no real money
	Script          string    `json:"script"`
	OperationID     string    `json:"operationId,omitempty"`
	TransactionID   string    `json:"transactionId"`
	ReferenceNumber string    `json:"referenceNumber,omitempty"`
	Code            string    `json:"code,omitempty"` // of E-kwanza
	UpstreamID      string    `json:"ekwanzaTransactionId"`
	DueDate         string    `json:"dueDate,omitempty"`
	Status          string    `json:"status"`
	Since           time.Time `json:"since"` // of Status
	Created         time.Time `json:"created"`
	Charges         int       `json:"charges"`  // times money moved
	Statuses        int       `json:"statuses"` // times its status was asked for
	InvoiceURL      string    `json:"invoiceUrl,omitempty"`

	Webhooks []SentWebhook `json:"webhooks,omitempty"`
}

// SentWebhook is one webhook that was sent, or tried.
type SentWebhook struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Status string    `json:"operationStatus"`
	Forged bool      `json:"forged,omitempty"`
	Code   int       `json:"code,omitempty"` // answered; 0 when no answer came
	Err    string    `json:"err,omitempty"`
}

// payment is an Entry in the making: Status, Since, Charges and InvoiceURL
// are taken from what follows.
type payment struct {
	Entry
	script    script
	steps     []moment // what is true from when on; the first is its making
	invoiceAt time.Time
	invoice   string // its URL, once invoiceAt has come
	askedAt   time.Time
	pending   []*scheduled
}

// moment is a state and since when it holds.
type moment struct {
	at     time.Time
	status string
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

func (p *payment) invoiced(at time.Time) string {
	if p.invoice == "" || p.invoiceAt.After(at) {
		return ""
	}
	return p.invoice
}

func (p *payment) entry(now time.Time) Entry {
	e := p.Entry
	m := p.state(now)
	e.Status, e.Since, e.InvoiceURL = m.status, m.at, p.invoiced(now)
	if m.status == Paid {
		e.Charges = 1
	}
	e.Webhooks = slices.Clone(e.Webhooks)
	return e
}

// Ledger is the truth about every payment made, oldest first.
func (s *Sandbox) Ledger() []Entry {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Entry, 0, len(s.payments))
	for _, p := range s.payments {
		all = append(all, p.entry(now))
	}
	return all
}

// Payment finds an entry by any of its ids.
func (s *Sandbox) Payment(id string) (e Entry, ok bool) {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byID[id]
	if p == nil {
		return Entry{}, false
	}
	return p.entry(now), true
}

// Sentinels of SetOutcome and SendWebhook, for errors.Is.
var (
	ErrUnknown = errors.New("no such payment")
	ErrStale   = errors.New("the money has moved already")
)

// SetOutcome sets the state of a payment now, whatever its script says, and
// drops the webhooks still to come; webhook says whether those of the new
// state are sent. A payment that is paid stays so (ErrStale).
func (s *Sandbox) SetOutcome(id, status string, webhook bool) error {
	now := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byID[id]
	if p == nil {
		return fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	if p.state(now).status == Paid {
		return fmt.Errorf("%w: %q", ErrStale, id)
	}
	p.steps = slices.DeleteFunc(p.steps, func(m moment) bool { return m.at.After(now) })
	p.steps = append(p.steps, moment{now, status})
	for _, n := range p.pending {
		s.drop(n.timer)
	}
	p.pending, p.invoice = nil, ""
	if status == Paid {
		p.invoice, p.invoiceAt = s.invoiceURL(p), now.Add(s.opts.Times.Invoice)
	}
	if webhook {
		s.plan(p, ordinary(status, s.opts.Times), now)
	}
	s.keep(p)
	return nil
}
