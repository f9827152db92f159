package momfactura

import (
	"encoding/json"
	"slices"
	"time"

	"momoproxy/infra/sandbox/journal"
)

// keptPayment is a payment as it is written down; its script by name.
type keptPayment struct {
	Entry     Entry        `json:"entry"`
	Steps     []keptStep   `json:"steps"`
	InvoiceAt time.Time    `json:"invoiceAt,omitzero"`
	Invoice   string       `json:"invoice,omitempty"`
	Pending   []keptNotice `json:"pending"`
}

type keptStep struct {
	At     time.Time
	Status string
}

type keptNotice struct {
	At            time.Time
	Event, Status string
	Forged        bool
}

// Keep makes payments outlive the process: those in the file are there again,
// with what is still to become of them, and each change is written before it
// is answered. Call it once, before the first request. report is told what
// could not be written; it must not call the Sandbox.
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
	now := s.opts.Now()
	p := &payment{Entry: k.Entry, script: s.scriptFor(k.Entry.Script, k.Entry.Amount), invoiceAt: k.InvoiceAt, invoice: k.Invoice}
	for _, st := range k.Steps {
		p.steps = append(p.steps, moment{st.At, st.Status})
	}
	for _, id := range p.ids() {
		s.byID[id] = p
	}
	s.payments = append(s.payments, p)
	for _, n := range k.Pending {
		s.schedule(p, notice{event: n.Event, status: n.Status, forged: n.Forged}, n.At.Sub(now), now)
	}
}

// ids are all that a payment is known by.
func (p *payment) ids() []string {
	return slices.DeleteFunc([]string{p.TransactionID, p.UpstreamID, p.OperationID, p.ReferenceNumber, p.Code},
		func(id string) bool { return id == "" })
}

// keep writes a payment down. Call with s.mu held.
func (s *Sandbox) keep(p *payment) {
	if s.journal == nil || s.closed {
		return
	}
	k := keptPayment{Entry: p.Entry, InvoiceAt: p.invoiceAt, Invoice: p.invoice}
	var ends time.Time
	for _, st := range p.steps {
		k.Steps = append(k.Steps, keptStep{st.at, st.status})
		ends = time.Time{}
		if st.status != Pending {
			ends = st.at
		}
	}
	for _, n := range p.pending {
		k.Pending = append(k.Pending, keptNotice{n.at, n.notice.event, n.notice.status, n.notice.forged})
	}
	dropped, err := s.journal.Put(p.TransactionID, ends, s.opts.Now(), k)
	if err != nil {
		s.report(err)
	}
	for _, id := range dropped {
		old := s.byID[id]
		s.payments = slices.DeleteFunc(s.payments, func(o *payment) bool { return o == old })
		for _, id := range old.ids() {
			delete(s.byID, id)
		}
	}
}
