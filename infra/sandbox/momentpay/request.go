package momentpay

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"momoproxy/infra/sandbox/line"
)

// How long a request can be paid where it does not say so (MomentPay's docs).
const (
	linkLife = 24 * time.Hour
	pushLife = 2 * time.Minute
)

// ask is the body of a request for a payment, or of a change of one.
type ask struct {
	Type              string            `json:"type"`
	Amount            json.Number       `json:"amount"`
	Currency          string            `json:"currency"`
	ExternalReference string            `json:"external_reference"`
	Description       string            `json:"description"`
	ExpiresAt         string            `json:"expires_at"`
	Metadata          map[string]string `json:"metadata"`
	Push              *pushTo           `json:"push"`
}

type pushTo struct {
	Provider string `json:"provider"`
	Capitec  struct {
		PhoneNumber string `json:"phone_number"`
	} `json:"capitec"`
}

// request is MomentPay's record of a payment request.
type request struct {
	id, paymentID, sessionID string
	kind                     string
	amount                   int64
	currency, reference      string
	description              string
	phone                    string
	metadata                 map[string]string
	expiresAt                time.Time
	createdAt, updatedAt     time.Time

	ended   string // "", "paid", "failed", "expired": by the payer or by hand
	reason  string // of a failure
	charges int
	plan    Plan
	sent    []SentWebhook
	key     string // under which it was made
}

// status is what it is at a time: what nobody paid is expired by the clock.
func (r *request) status(at time.Time) string {
	switch {
	case r.ended != "":
		return r.ended
	case !at.Before(r.expiresAt):
		return "expired"
	}
	return "active"
}

var (
	referenceForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)
	phoneForm     = regexp.MustCompile(`^\+27\d{9}$`)
)

// fault says what is wrong with a request for a payment; empty: nothing.
func (a ask) fault(at time.Time, pastExpiry bool) string {
	amount, err := a.Amount.Int64()
	switch {
	case a.Type != "" && a.Type != "link" && a.Type != "push":
		return "type must be link or push"
	case err != nil || amount <= 0:
		return "amount must be an integer of minor units greater than zero"
	case a.Currency != "ZAR":
		return "currency must be ZAR"
	case a.ExternalReference != "" && !referenceForm.MatchString(a.ExternalReference):
		return "external_reference must match ^[a-zA-Z0-9_-]+$"
	case len(a.Description) > 500:
		return "description is longer than 500 characters"
	case a.Type == "push" && (a.Push == nil || a.Push.Provider != "capitec" || !phoneForm.MatchString(a.Push.Capitec.PhoneNumber)):
		return "push must name provider capitec and a phone number"
	}
	return a.expiryFault(at, pastExpiry)
}

func (a ask) expiryFault(at time.Time, pastExpiry bool) string {
	if a.ExpiresAt == "" {
		return ""
	}
	expires, err := time.Parse(time.RFC3339, a.ExpiresAt)
	switch {
	case err != nil:
		return "expires_at must be an RFC 3339 time"
	case !expires.After(at) && !pastExpiry:
		return "expires_at must be in the future"
	}
	return ""
}

// create is POST /collect/payment_request.
func (s *Sandbox) create(in *incoming) line.Answer {
	if s.opts.ExpiryFirst {
		var a ask
		if json.Unmarshal(in.body, &a) == nil && a.expiryFault(in.at, s.opts.PastExpiry) != "" {
			return s.refusal(400, "invalid_request", a.expiryFault(in.at, s.opts.PastExpiry))
		}
	}
	return s.once(in, func() line.Answer {
		var a ask
		if err := json.Unmarshal(in.body, &a); err != nil {
			return s.refusal(400, "invalid_request", "The body is not JSON as it should be.")
		}
		if why := a.fault(in.at, s.opts.PastExpiry); why != "" {
			return s.refusal(400, "invalid_request", why)
		}
		if plan := s.planOf(a); plan.Refusal != "" {
			return s.refusal(422, plan.Refusal, "The request was refused.")
		}
		r := s.make(a, in.at)
		r.key = in.Header.Get("Idempotency-Key")
		in.made = r
		return jsonOf(201, s.view(r, in.at, in.fault))
	})
}

// make starts a request. Call with s.mu held.
func (s *Sandbox) make(a ask, at time.Time) *request {
	r := &request{
		id: s.id("pr_", 21), paymentID: s.id([]string{"p_", "pay_"}[s.rng.IntN(2)], 20), kind: "link",
		currency: a.Currency, reference: a.ExternalReference, description: a.Description, metadata: a.Metadata,
		createdAt: at, updatedAt: at, expiresAt: at.Add(linkLife), plan: s.planOf(a),
	}
	r.amount, _ = a.Amount.Int64()
	if a.Type == "push" {
		r.kind, r.phone, r.expiresAt = "push", a.Push.Capitec.PhoneNumber, at.Add(pushLife)
	} else {
		r.sessionID = s.id("chk_", 15)
	}
	if t, err := time.Parse(time.RFC3339, a.ExpiresAt); err == nil {
		r.expiresAt = t
	}
	s.requests[r.id] = r
	s.order = append(s.order, r)
	s.tell(r, notice{kind: "created", status: "active"}, 0)
	if !s.opts.Manual {
		s.play(r)
	}
	return r
}

// retrieve is GET /collect/payment_request/{id}.
func (s *Sandbox) retrieve(in *incoming) line.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[in.id]
	if r == nil {
		return s.refusal(404, "not_found", "There is no such payment request.")
	}
	return jsonOf(200, s.view(r, in.at, in.fault))
}

// update is PATCH /collect/payment_request/{id}.
func (s *Sandbox) update(in *incoming) line.Answer {
	return s.once(in, func() line.Answer {
		r := s.requests[in.id]
		if r == nil {
			return s.refusal(404, "not_found", "There is no such payment request.")
		}
		var a ask
		if err := json.Unmarshal(in.body, &a); err != nil {
			return s.refusal(400, "invalid_request", "The body is not JSON as it should be.")
		}
		if why := a.expiryFault(in.at, false); why != "" || a.ExternalReference != "" && !referenceForm.MatchString(a.ExternalReference) {
			return s.refusal(400, "invalid_request", "external_reference or expires_at is wrong")
		}
		if a.ExternalReference != "" {
			r.reference = a.ExternalReference
		}
		if a.Description != "" {
			r.description = a.Description
		}
		if t, err := time.Parse(time.RFC3339, a.ExpiresAt); err == nil {
			r.expiresAt = t
		}
		if a.Metadata != nil {
			r.metadata = a.Metadata
		}
		r.updatedAt = in.at
		in.made = r
		s.tell(r, notice{kind: "updated"}, 0)
		return jsonOf(200, s.view(r, in.at, in.fault))
	})
}

// payment is GET /collect/payments/{id}.
func (s *Sandbox) payment(in *incoming) line.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.byID(in.id)
	if r == nil || r.paymentID != in.id {
		return s.refusal(404, "not_found", "There is no such payment.")
	}
	words := map[string]string{"active": "pending_action", "paid": "succeeded", "expired": "expired", "failed": "failed"}
	v := map[string]any{
		"id": r.paymentID, "status": words[r.status(in.at)], "amount": r.amount, "currency": r.currency, "country": "ZA",
		"external_reference": r.reference, "mode": "test", "metadata": r.metadata, "created_at": stamp(r.createdAt), "updated_at": stamp(r.updatedAt),
	}
	if r.charges > 0 {
		v["paid_amount"] = r.amount
	}
	if r.ended == "failed" {
		v["last_payment_error"] = map[string]string{"error_code": r.reason, "message": "The payment failed.", "timestamp": stamp(r.updatedAt)}
	}
	return jsonOf(200, v)
}

// view is a payment request as MomentPay shows it, bent by a fault.
func (s *Sandbox) view(r *request, at time.Time, f Fault) map[string]any {
	v := map[string]any{
		"id": r.id, "status": r.status(at), "type": r.kind, "amount": r.amount, "payment_id": r.paymentID, "currency": r.currency,
		"external_reference": r.reference, "description": r.description, "expires_at": stamp(r.expiresAt),
		"created_at": stamp(r.createdAt), "updated_at": stamp(r.updatedAt),
	}
	if r.metadata != nil {
		v["metadata"] = r.metadata
	}
	if r.kind == "push" {
		v["push"] = map[string]any{"provider": "capitec", "capitec": map[string]string{"phone_number": r.phone}}
	} else {
		spelling := "link_url"
		if s.opts.URLSpelling || r.plan.Name == "url_spelling" {
			spelling = "url"
		}
		v["link"] = map[string]string{"checkout_session_id": r.sessionID, spelling: "https://links.momentpay.io/" + r.sessionID[len("chk_"):]}
	}
	if r.ended == "failed" && r.reason != "" {
		v["last_payment_error"] = map[string]string{"error_code": r.reason, "message": "The payment failed."}
	}
	for _, f := range []Fault{r.plan.Shown, f} {
		if bend := faults[f].bend; bend != nil {
			bend(v)
		}
	}
	return v
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// kept is what a key was answered first.
type kept struct {
	answer line.Answer
	body   string
	at     time.Time
}

// keyLife is how long a key is known (MomentPay's docs).
const keyLife = 24 * time.Hour

// once runs act for a key that is new, and keeps its answer whatever that is;
// a known key gets the first answer again. act runs with s.mu held.
func (s *Sandbox) once(in *incoming, act func() line.Answer) line.Answer {
	key := in.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 255 {
		return s.refusal(400, "idempotency_key_required", "Idempotency-Key must be 1 to 255 characters.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[key]; k != nil && in.at.Sub(k.at) < keyLife {
		if s.opts.RefuseOtherBody && k.body != string(in.body) {
			return s.refusal(422, "idempotency_key_reused", "The key was used with another body.")
		}
		a := k.answer
		a.Header = a.Header.Clone()
		a.Header.Set("Idempotent-Replayed", "true")
		return a
	}
	k := &kept{body: string(in.body), at: in.at}
	switch in.fault {
	case KeptErrorBefore:
		k.answer = s.internal()
	case KeptErrorAfter:
		_ = act()
		k.answer = s.internal()
	default:
		k.answer = act()
	}
	s.keys[key] = k
	if in.made != nil {
		s.keep(in.made)
	}
	return k.answer
}

func (s *Sandbox) internal() line.Answer {
	return s.refusal(http.StatusInternalServerError, "internal_error", "Something went wrong.")
}
