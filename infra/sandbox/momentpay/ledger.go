package momentpay

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Entry is the truth about one payment request: what was asked and whether
// money moved. It is what MomentPay's books say, not what its answers claim.
type Entry struct {
	ID        string `json:"id"`
	PaymentID string `json:"paymentId"`
	Reference string `json:"reference"`
	Type      string `json:"type"`
	Amount    int64  `json:"amount"` // minor units
	Currency  string `json:"currency"`
	Phone     string `json:"phone,omitempty"`
	Plan      string `json:"plan"`

	// Asks are the submissions under its reference, lost ones too, and
	// Requests the payment requests made under it: more than one is a fault.
	Asks     int `json:"asks"`
	Requests int `json:"requests"`
	Charges  int `json:"charges"` // times money moved for this one

	Status    string        `json:"status"`
	Reason    string        `json:"reason,omitempty"`
	Created   time.Time     `json:"created"`
	ExpiresAt time.Time     `json:"expiresAt"`
	Webhooks  []SentWebhook `json:"webhooks,omitempty"`
}

// Ledger is every payment request, oldest first.
func (s *Sandbox) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Entry, 0, len(s.order))
	for _, r := range s.order {
		all = append(all, s.entry(r))
	}
	return all
}

// Payment is the newest payment request under a reference; ok is false when
// there is none. Asks counts even then.
func (s *Sandbox) Payment(reference string) (e Entry, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.newest(reference); r != nil {
		return s.entry(r), true
	}
	return Entry{Reference: reference, Asks: s.asked[reference]}, false
}

// newest finds the newest request under a reference. Call with s.mu held.
func (s *Sandbox) newest(reference string) *request {
	for _, r := range slices.Backward(s.order) {
		if r.reference == reference {
			return r
		}
	}
	return nil
}

func (s *Sandbox) entry(r *request) Entry {
	e := Entry{
		ID: r.id, PaymentID: r.paymentID, Reference: r.reference, Type: r.kind, Amount: r.amount, Currency: r.currency, Phone: r.phone,
		Plan: r.plan.Name, Asks: s.asked[r.reference], Charges: r.charges, Status: r.status(s.opts.Now()), Reason: r.reason,
		Created: r.createdAt, ExpiresAt: r.expiresAt, Webhooks: slices.Clone(r.sent),
	}
	for _, other := range s.order {
		if other.reference == r.reference {
			e.Requests++
		}
	}
	return e
}

// Sentinels of SetOutcome, SendWebhook and Compose, for errors.Is.
var (
	ErrUnknown = errors.New("no such payment request")
	ErrStale   = errors.New("the money has moved already")
	ErrStatus  = errors.New("no such status")
)

// SetOutcome makes the newest request under a reference active, paid, failed
// or expired now, whatever its script and the clock say; webhook says whether
// the event that goes with it is sent. One that was paid stays so (ErrStale).
func (s *Sandbox) SetOutcome(reference, status, reason string, webhook bool) error {
	if !slices.Contains([]string{"active", "paid", "failed", "expired"}, status) {
		return fmt.Errorf("%w: %q", ErrStatus, status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.newest(reference)
	switch {
	case r == nil:
		return fmt.Errorf("%w: %q", ErrUnknown, reference)
	case r.charges > 0:
		return fmt.Errorf("%w: %q", ErrStale, reference)
	}
	if status == "active" {
		r.ended = ""
		s.keep(r)
		return nil
	}
	r.finish(status, reason, s.opts.Now())
	if webhook {
		kind := "updated"
		if status == "paid" {
			kind = "paid"
		}
		s.tell(r, notice{kind: kind}, 0)
	}
	s.keep(r)
	return nil
}

// Extra is a webhook sent or written by hand.
type Extra struct {
	Kind   string  `json:"kind,omitempty"`   // created, updated, paid (default) or strange
	Status string  `json:"status,omitempty"` // claimed; default the truth
	Bare   bool    `json:"bare,omitempty"`   // without amount and currency
	Forged Forgery `json:"forged,omitempty"` // from somebody without the secret
}

func (x Extra) notice() (notice, error) {
	if x.Kind == "" {
		x.Kind = "paid"
	}
	if !slices.Contains([]string{"created", "updated", "paid", "strange"}, x.Kind) {
		return notice{}, fmt.Errorf("%w: kind %q", ErrStatus, x.Kind)
	}
	if x.Forged != "" && !slices.Contains(Forgeries(), x.Forged) {
		return notice{}, fmt.Errorf("%w: forgery %q is none of %v", ErrStatus, x.Forged, Forgeries())
	}
	return notice{kind: x.Kind, status: x.Status, bare: x.Bare, forged: x.Forged}, nil
}

// SendWebhook sends a webhook about the newest request under a reference and
// waits for its answer: a repetition of a true one, or a forged one.
func (s *Sandbox) SendWebhook(reference string, x Extra) (SentWebhook, error) {
	r, e, n, err := s.written(reference, x)
	if err != nil {
		return SentWebhook{}, err
	}
	return s.deliver(r, e, n.forged, len(s.opts.WebhookRetries)+1), nil
}

// Compose writes the webhook that SendWebhook would send.
func (s *Sandbox) Compose(reference string, x Extra) (Webhook, error) {
	_, e, n, err := s.written(reference, x)
	if err != nil {
		return Webhook{Header: http.Header{}}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrap(e, n.forged), nil
}

func (s *Sandbox) written(reference string, x Extra) (*request, event, notice, error) {
	n, err := x.notice()
	if err != nil {
		return nil, event{}, n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.newest(reference)
	if r == nil {
		return nil, event{}, n, fmt.Errorf("%w: %q", ErrUnknown, reference)
	}
	return r, s.compose(r, n), n, nil
}
