package momentpay

import (
	"encoding/json"
	"slices"
	"time"

	"momoproxy/infra/sandbox/journal"
	"momoproxy/infra/sandbox/line"
)

// keptRequest is a payment request as it is written down; its script by name.
type keptRequest struct {
	ID          string            `json:"id"`
	PaymentID   string            `json:"paymentId"`
	SessionID   string            `json:"sessionId"`
	Kind        string            `json:"kind"`
	Amount      int64             `json:"amount"`
	Currency    string            `json:"currency"`
	Reference   string            `json:"reference"`
	Description string            `json:"description"`
	Phone       string            `json:"phone"`
	Metadata    map[string]string `json:"metadata"`
	ExpiresAt   time.Time         `json:"expiresAt"`
	CreatedAt   time.Time         `json:"createdAt"`
	UpdatedAt   time.Time         `json:"updatedAt"`
	Ended       string            `json:"ended"`
	Reason      string            `json:"reason"`
	Charges     int               `json:"charges"`
	Plan        string            `json:"plan"`
	Asks        int               `json:"asks"`
	Sent        []SentWebhook     `json:"sent"`
	// The key under which it was made, and what that is answered again.
	Key    string      `json:"key"`
	Body   string      `json:"body"`
	Answer line.Answer `json:"answer"`
}

// Keep makes payment requests outlive the process: those in the file are there
// again, with what is still to become of them, and each change is written
// before it is answered. Call it once, before the first request. report is
// told what could not be written; it must not call the Sandbox.
func (s *Sandbox) Keep(path string, report func(error)) error {
	j, err := journal.Open(path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal, s.report = j, report
	return j.All(func(text json.RawMessage) error {
		var k keptRequest
		if err := json.Unmarshal(text, &k); err != nil {
			return err
		}
		s.restore(k)
		return nil
	})
}

func (s *Sandbox) restore(k keptRequest) {
	r := &request{
		id: k.ID, paymentID: k.PaymentID, sessionID: k.SessionID, kind: k.Kind, amount: k.Amount, currency: k.Currency,
		reference: k.Reference, description: k.Description, phone: k.Phone, metadata: k.Metadata,
		expiresAt: k.ExpiresAt, createdAt: k.CreatedAt, updatedAt: k.UpdatedAt,
		ended: k.Ended, reason: k.Reason, charges: k.Charges, sent: k.Sent, plan: Plan{Name: k.Plan}, key: k.Key,
	}
	if i := slices.IndexFunc(plans, func(p Plan) bool { return p.Name == k.Plan }); i >= 0 {
		r.plan = plans[i]
	}
	s.requests[r.id] = r
	s.order = append(s.order, r)
	s.asked[r.reference] = max(s.asked[r.reference], k.Asks)
	if k.Key != "" {
		s.keys[k.Key] = &kept{answer: k.Answer, body: k.Body, at: k.CreatedAt}
	}
	switch now := s.opts.Now(); {
	case s.opts.Manual:
	case r.status(now) == "active":
		s.end(r)
	case !r.told():
		s.tellEnd(r)
	}
}

// told says whether a webhook about its end has been taken.
func (r *request) told() bool {
	return slices.ContainsFunc(r.sent, func(w SentWebhook) bool {
		return w.Forged == "" && w.Status == r.ended && w.Code/100 == 2
	})
}

// keep writes a request down. Call with s.mu held.
func (s *Sandbox) keep(r *request) {
	if s.journal == nil || s.closed {
		return
	}
	k := keptRequest{
		ID: r.id, PaymentID: r.paymentID, SessionID: r.sessionID, Kind: r.kind, Amount: r.amount, Currency: r.currency,
		Reference: r.reference, Description: r.description, Phone: r.phone, Metadata: r.metadata,
		ExpiresAt: r.expiresAt, CreatedAt: r.createdAt, UpdatedAt: r.updatedAt,
		Ended: r.ended, Reason: r.reason, Charges: r.charges, Sent: r.sent, Plan: r.plan.Name, Asks: s.asked[r.reference],
	}
	if first := s.keys[r.key]; first != nil {
		k.Key, k.Body, k.Answer = r.key, first.body, first.answer
	}
	ends := r.expiresAt
	if r.ended != "" {
		ends = r.updatedAt
	}
	dropped, err := s.journal.Put(r.id, ends, s.opts.Now(), k)
	if err != nil {
		s.report(err)
	}
	for _, id := range dropped {
		old := s.requests[id]
		s.order = slices.DeleteFunc(s.order, func(o *request) bool { return o == old })
		delete(s.requests, id)
		delete(s.keys, old.key)
		if s.newest(old.reference) == nil {
			delete(s.asked, old.reference)
		}
	}
}
