package momentpay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"momoproxy/infra/standin/core"
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

var (
	referenceForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)
	phoneForm     = regexp.MustCompile(`^\+27\d{9}$`)
)

// fault says what is wrong with a request for a payment; empty: nothing.
func (a ask) fault(at time.Time, pastExpiry bool) string {
	amount, err := a.Amount.Int64()
	switch {
	case a.Type != "" && a.Type != Link && a.Type != Push:
		return "type must be link or push"
	case err != nil || amount <= 0:
		return "amount must be an integer of minor units greater than zero"
	case a.Currency != "ZAR":
		return "currency must be ZAR"
	case a.ExternalReference != "" && !referenceForm.MatchString(a.ExternalReference):
		return "external_reference must match ^[a-zA-Z0-9_-]+$"
	case len(a.Description) > 500:
		return "description is longer than 500 characters"
	case a.Type == Push && (a.Push == nil || a.Push.Provider != "capitec" || !phoneForm.MatchString(a.Push.Capitec.PhoneNumber)):
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

func readAsk(body []byte) (a ask) {
	_ = json.Unmarshal(body, &a) // what cannot be read says nothing
	return a
}

// payer is whom a push goes to, with the plus.
func (a ask) payer() string {
	if a.Type != Push || a.Push == nil {
		return ""
	}
	return a.Push.Capitec.PhoneNumber
}

// Types of payment requests.
const (
	Link = "link"
	Push = "push"
)

// create is POST /collect/payment_request.
func (s *Standin) create(r *core.Request) core.Answer {
	a := readAsk(r.Body)
	if why := a.expiryFault(r.At, s.opts.PastExpiry); s.opts.ExpiryFirst && why != "" {
		return s.refusal(400, "invalid_request", why)
	}
	if no, bad := s.badKey(r); bad {
		return no
	}
	sc := s.Choice(r, s.scriptOf(a))
	s.Lock()
	defer s.Unlock()
	p := s.Ask(r.Call)
	if p.Accepted == 0 {
		p.SetScript(sc)
	}
	return s.Try(r, p, func() core.Answer {
		return s.once(r, func() (core.Answer, *payment) {
			if err := json.Unmarshal(r.Body, &a); err != nil {
				return s.refusal(400, "invalid_request", "The body is not JSON as it should be."), nil
			}
			if why := a.fault(r.At, s.opts.PastExpiry); why != "" {
				return s.refusal(400, "invalid_request", why), nil
			}
			if p.Accepted > 0 { // another request under the same reference
				p = s.Add(&payment{Reference: p.Reference, Asks: p.Asks, Tries: p.Tries, Accepted: p.Accepted})
				p.SetScript(sc)
			}
			s.make(p, a, r)
			return core.JSON(201, s.view(p, r.At, r.Rule.Fault)), p
		})
	})
}

// make starts a request.
func (s *Standin) make(p *payment, a ask, r *core.Request) {
	p.Key = s.id("pr_", 21)
	prefix := map[string]string{"0": "p_", "1": "pay_"}[s.Letters("01", 1)] // both are in its pages
	p.IDs = map[string]string{ID: p.Key, PaymentID: s.id(prefix, 20)}
	p.Method, p.Currency = Link, a.Currency
	p.Own = own{Description: a.Description, Metadata: a.Metadata, UpdatedAt: r.At, ExpiresAt: r.At.Add(linkLife), IdempotencyKey: key(r)}
	p.Own.Minor, _ = a.Amount.Int64()
	p.Amount = decimal(p.Own.Minor)
	if a.Type == Push {
		p.Method, p.Payer, p.Own.ExpiresAt = Push, a.payer(), r.At.Add(pushLife)
	} else {
		p.IDs[sessionID] = s.id("chk_", 15)
	}
	if t, err := time.Parse(time.RFC3339, a.ExpiresAt); err == nil {
		p.Own.ExpiresAt = t
	}
	sc := life(*p.Script(), p, r.At)
	p.SetScript(&sc)
	s.Accept(p, r.At)
}

const sessionID = "checkoutSessionId"

// idAlphabet is that of the ids in MomentPay's examples.
const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func (s *Standin) id(prefix string, n int) string { return prefix + s.Letters(idAlphabet, n) }

// decimal is an amount in major units.
func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// byID is the request that a path names. Call with the lock held.
func (s *Standin) byID(r *core.Request, name string) *payment {
	if p := s.Find(r.Args[0]); p != nil && p.IDs[name] == r.Args[0] {
		return p
	}
	return nil
}

// retrieve is GET /collect/payment_request/{id}.
func (s *Standin) retrieve(r *core.Request) core.Answer {
	s.Lock()
	defer s.Unlock()
	p := s.byID(r, ID)
	if p == nil {
		return s.refusal(404, "not_found", "There is no such payment request.")
	}
	s.Poll(p)
	return core.JSON(200, s.view(p, r.At, r.Rule.Fault))
}

// update is PATCH /collect/payment_request/{id}.
func (s *Standin) update(r *core.Request) core.Answer {
	if no, bad := s.badKey(r); bad {
		return no
	}
	s.Lock()
	defer s.Unlock()
	return s.once(r, func() (core.Answer, *payment) {
		p := s.byID(r, ID)
		if p == nil {
			return s.refusal(404, "not_found", "There is no such payment request."), nil
		}
		var a ask
		if err := json.Unmarshal(r.Body, &a); err != nil {
			return s.refusal(400, "invalid_request", "The body is not JSON as it should be."), nil
		}
		if why := a.expiryFault(r.At, false); why != "" || a.ExternalReference != "" && !referenceForm.MatchString(a.ExternalReference) {
			return s.refusal(400, "invalid_request", "external_reference or expires_at is wrong"), nil
		}
		if a.ExternalReference != "" {
			s.Rename(p, a.ExternalReference)
		}
		if a.Description != "" {
			p.Own.Description = a.Description
		}
		if t, err := time.Parse(time.RFC3339, a.ExpiresAt); err == nil {
			p.Own.ExpiresAt = t
			if last := &p.Steps[len(p.Steps)-1]; last.Status == Expired {
				last.At = t
			}
		}
		if a.Metadata != nil {
			p.Own.Metadata = a.Metadata
		}
		p.Own.UpdatedAt = r.At
		s.Notify(p, core.Notice{Kind: KindUpdated, Always: true}, 0)
		return core.JSON(200, s.view(p, r.At, r.Rule.Fault)), p
	})
}

// payment is GET /collect/payments/{id}.
func (s *Standin) payment(r *core.Request) core.Answer {
	s.Lock()
	defer s.Unlock()
	p := s.byID(r, PaymentID)
	if p == nil {
		return s.refusal(404, "not_found", "There is no such payment.")
	}
	words := map[string]string{Active: "pending_action", Paid: "succeeded", Expired: "expired", Failed: "failed"}
	st := p.State(r.At)
	v := map[string]any{
		"id": p.IDs[PaymentID], "status": words[st.Status], "amount": p.Own.Minor, "currency": p.Currency, "country": "ZA",
		"external_reference": p.Reference, "mode": "test", "metadata": p.Own.Metadata, "created_at": stamp(p.Created), "updated_at": stamp(updated(p, st)),
	}
	if st.Status == Paid {
		v["paid_amount"] = p.Own.Minor
	}
	if st.Status == Failed {
		v["last_payment_error"] = map[string]string{"error_code": st.Reason, "message": "The payment failed.", "timestamp": stamp(st.At)}
	}
	return core.JSON(200, v)
}

// view is a payment request as MomentPay shows it, bent by a fault.
func (s *Standin) view(p *payment, at time.Time, f core.Fault) map[string]any {
	st := p.State(at)
	v := map[string]any{
		"id": p.IDs[ID], "status": st.Status, "type": p.Method, "amount": p.Own.Minor, "payment_id": p.IDs[PaymentID], "currency": p.Currency,
		"external_reference": p.Reference, "description": p.Own.Description, "expires_at": stamp(p.Own.ExpiresAt),
		"created_at": stamp(p.Created), "updated_at": stamp(updated(p, st)),
	}
	if p.Own.Metadata != nil {
		v["metadata"] = p.Own.Metadata
	}
	if p.Method == Push {
		v["push"] = map[string]any{"provider": "capitec", "capitec": map[string]string{"phone_number": p.Payer}}
	} else {
		spelling := "link_url"
		if s.opts.URLSpelling || p.ScriptName == "url_spelling" {
			spelling = "url"
		}
		session := p.IDs[sessionID]
		v["link"] = map[string]string{"checkout_session_id": session, spelling: "https://links.momentpay.io/" + session[len("chk_"):]}
	}
	if st.Status == Failed && st.Reason != "" {
		v["last_payment_error"] = map[string]string{"error_code": st.Reason, "message": "The payment failed."}
	}
	bend(p.Script().Status, v)
	bend(f, v)
	return v
}

// updated is when a request was last changed; expiry by the clock is no change.
func updated(p *payment, st core.State) time.Time {
	if st.Status != Expired && st.At.After(p.Own.UpdatedAt) {
		return st.At
	}
	return p.Own.UpdatedAt
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// firstAnswer is what a key was answered first.
type firstAnswer struct {
	Answer core.Answer
	Body   string
	At     time.Time
}

// keyLife is how long a key is known (MomentPay's docs).
const keyLife = 24 * time.Hour

func key(r *core.Request) string { return r.Header.Get("Idempotency-Key") }

func (s *Standin) badKey(r *core.Request) (no core.Answer, bad bool) {
	if k := key(r); k != "" && len(k) <= 255 {
		return core.Answer{}, false
	}
	return s.refusal(400, "idempotency_key_required", "Idempotency-Key must be 1 to 255 characters."), true
}

// once runs act for a key that is new, and keeps its answer whatever that is;
// a known key gets the first answer again. Call with the lock held.
func (s *Standin) once(r *core.Request, act func() (core.Answer, *payment)) core.Answer {
	if first := s.answers[key(r)]; first != nil && r.At.Sub(first.At) < keyLife {
		if s.opts.RefuseOtherBody && first.Body != string(r.Body) {
			return s.refusal(422, "idempotency_key_reused", "The key was used with another body.")
		}
		a := first.Answer
		a.Header = a.Header.Clone()
		a.Header.Set("Idempotent-Replayed", "true")
		return a
	}
	first := &firstAnswer{Body: string(r.Body), At: r.At}
	var p *payment
	switch r.Rule.Fault {
	case KeptErrorBefore:
		first.Answer = s.internal()
	case KeptErrorAfter:
		_, p = act()
		first.Answer = s.internal()
	default:
		first.Answer, p = act()
	}
	s.forgetKeys(r.At)
	s.answers[key(r)] = first
	if p != nil {
		if r.Route == RouteCreate {
			p.Own.First = first
		}
		s.Save(p)
	}
	return first.Answer
}

// mostKeys bounds how many keys are known.
const mostKeys = 20_000

// forgetKeys drops keys that are known no longer, once there are many.
func (s *Standin) forgetKeys(at time.Time) {
	if len(s.answers) < mostKeys {
		return
	}
	for k, first := range s.answers {
		if at.Sub(first.At) >= keyLife {
			delete(s.answers, k)
		}
	}
}

func (s *Standin) internal() core.Answer {
	return s.refusal(http.StatusInternalServerError, "internal_error", "Something went wrong.")
}
