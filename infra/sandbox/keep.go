package sandbox

import (
	"encoding/json"
	"slices"
	"time"

	"momoproxy/infra/sandbox/journal"
)

// keptPayment is an accepted payment as it is written down. Of its script only
// the name is: faults of its answers are those of a script with that name.
type keptPayment struct {
	Reference     string         `json:"reference"`
	Account       string         `json:"account"`
	Ask           ask            `json:"ask"`
	Amount        string         `json:"amount"`
	CallbackURL   string         `json:"callbackUrl"`
	Plan          string         `json:"plan"`
	Asks          int            `json:"asks"`
	Tries         int            `json:"tries"`
	Accepted      int            `json:"accepted"`
	Duplicates    int            `json:"duplicates"`
	GETs          int            `json:"gets"`
	AcceptedAt    time.Time      `json:"acceptedAt"`
	Steps         []keptStep     `json:"steps"`
	TransactionID string         `json:"transactionId"`
	PastCharges   int            `json:"pastCharges"`
	Forgotten     bool           `json:"forgotten"`
	Pending       []keptNotice   `json:"pending"`
	Sent          []SentCallback `json:"sent"`
}

type keptStep struct {
	At             time.Time
	Status, Reason string
}

type keptNotice struct {
	At     time.Time
	Notice Notice
	Try    int
}

// Keep makes payments outlive the process: those in the file are there again,
// with what is still to become of them, and each change is written before it
// is answered. Call it once, when the accounts are provisioned. report is told
// what could not be written; it must not call the Sandbox.
func (s *Sandbox) Keep(path string, report func(error)) error {
	j, err := journal.Open(path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal, s.report = j, report
	return j.All(func(text json.RawMessage) error {
		var k keptPayment
		if err := json.Unmarshal(text, &k); err != nil {
			return err
		}
		s.restore(k)
		return nil
	})
}

func (s *Sandbox) restore(k keptPayment) {
	p := s.payment(k.Reference)
	if p.account = s.mtn.users[k.Account]; p.account == nil {
		p.account = &user{id: k.Account, currency: k.Ask.Currency}
	}
	var known bool
	if p.plan, known = s.scripts.plans[k.Plan]; !known {
		p.plan = Plan{Name: k.Plan}
	}
	p.planned, p.ask, p.amount, p.callbackURL = true, k.Ask, k.Amount, k.CallbackURL
	p.asks, p.tries, p.accepted, p.duplicates, p.gets = k.Asks, k.Tries, k.Accepted, k.Duplicates, k.GETs
	p.acceptedAt, p.transactionID, p.pastCharges, p.forgotten, p.sent = k.AcceptedAt, k.TransactionID, k.PastCharges, k.Forgotten, k.Sent
	for _, st := range k.Steps {
		p.steps = append(p.steps, moment{st.At, st.Status, st.Reason})
	}
	for _, n := range k.Pending {
		s.notify(p, n.Notice, n.At.Sub(s.opts.Now()), n.Try)
	}
}

// keep writes a payment down. Call with s.mu held.
func (s *Sandbox) keep(p *payment) {
	if s.journal == nil || s.closed || p.accepted == 0 {
		return
	}
	k := keptPayment{
		Reference: p.reference, Account: p.account.id, Ask: p.ask, Amount: p.amount, CallbackURL: p.callbackURL, Plan: p.plan.Name,
		Asks: p.asks, Tries: p.tries, Accepted: p.accepted, Duplicates: p.duplicates, GETs: p.gets,
		AcceptedAt: p.acceptedAt, TransactionID: p.transactionID, PastCharges: p.pastCharges, Forgotten: p.forgotten, Sent: p.sent,
	}
	var ends time.Time
	for _, st := range p.steps {
		k.Steps = append(k.Steps, keptStep{st.at, st.status, st.reason})
		ends = time.Time{}
		if st.ended() {
			ends = st.at
		}
	}
	for _, n := range p.pending {
		k.Pending = append(k.Pending, keptNotice{n.at, n.notice, n.try})
	}
	dropped, err := s.journal.Put(p.reference, ends, s.opts.Now(), k)
	if err != nil {
		s.report(err)
	}
	for _, reference := range dropped {
		s.mtn.order = slices.DeleteFunc(s.mtn.order, func(o *payment) bool { return o.reference == reference })
		delete(s.mtn.payments, reference)
	}
}
