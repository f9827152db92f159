package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Letter is one callback as it goes over the wire.
type Letter struct {
	Method, URL string
	ID          string // of the event, where it has one
	Kind        string // its name
	Status      string // what it claims
	Header      http.Header
	Body        []byte
}

// Pending is a callback to come.
type Pending struct {
	At     time.Time
	Notice Notice
	ID     string // of the event, on a further try
	Try    int    // 1 is the first

	timer *timer
}

// Sent is one callback that was sent, or tried.
type Sent struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id,omitempty"`   // the event's
	Kind   string    `json:"kind,omitempty"` // its name
	Method string    `json:"method"`
	URL    string    `json:"url"`
	Status string    `json:"status"` // what it claimed
	Forged string    `json:"forged,omitempty"`
	Try    int       `json:"try"`            // 1 is the first
	Code   int       `json:"code,omitempty"` // answered; 0 when no answer came
	Err    string    `json:"err,omitempty"`
}

// Notify schedules a callback. Without an address there is none. Call with the
// lock held.
func (s *Standin[T]) Notify(p *Payment[T], n Notice, wait time.Duration) {
	s.schedule(p, n, s.Now().Add(wait), 1)
}

func (s *Standin[T]) schedule(p *Payment[T], n Notice, at time.Time, try int) {
	if s.urlOf(p, n) == "" {
		return
	}
	next := &Pending{At: at, Notice: n, ID: n.ID, Try: try}
	next.timer = s.later(at.Sub(s.Now()), func() {
		s.Lock()
		p.Pending = slices.DeleteFunc(p.Pending, func(o *Pending) bool { return o == next })
		s.Unlock()
		s.deliver(p, n, try)
	})
	p.Pending = append(p.Pending, next)
}

// urlOf is where a callback goes; empty: nowhere.
func (s *Standin[T]) urlOf(p *Payment[T], n Notice) string {
	switch {
	case n.URL != "":
		return n.URL
	case p.CallbackURL != "":
		return p.CallbackURL
	}
	return s.CallbackURL
}

// deliver sends a callback now, unless a rule has it lost.
func (s *Standin[T]) deliver(p *Payment[T], n Notice, try int) {
	rule := Rule{}
	if n.Forged == "" {
		rule = s.take(Call{Provider: s.provider.Name, Route: RouteCallback, Reference: p.Reference, Payer: p.Payer, Amount: p.Amount})
	}
	switch {
	case rule.Fault == Lost:
	case rule.DelayMs > 0:
		s.Lock()
		defer s.Unlock()
		s.later(rule.delay(), func() { s.attempt(p, n, try, rule) })
	default:
		s.attempt(p, n, try, rule)
	}
}

// attempt sends a callback and schedules the next try when it must: the same
// event, with a new time and signature.
func (s *Standin[T]) attempt(p *Payment[T], n Notice, try int, rule Rule) {
	sent, body := s.send(p, n, try)
	if rule.Fault == Repeated {
		again := n
		again.ID = sent.ID
		s.send(p, again, try)
	}
	if sent.Forged != "" || sent.Code/100 == 2 || try > len(s.CallbackRetries) {
		return
	}
	s.Lock()
	defer s.Unlock()
	n.ID, n.Kind, n.Status, n.Body = sent.ID, sent.Kind, sent.Status, body
	s.schedule(p, n, s.Now().Add(s.CallbackRetries[try-1]), try+1)
	s.Save(p)
}

// send makes one attempt and notes it.
func (s *Standin[T]) send(p *Payment[T], n Notice, try int) (Sent, []byte) {
	at := s.Now()
	s.Lock()
	l := s.compose(p, n, at)
	s.Unlock()
	sent := Sent{At: at, ID: l.ID, Kind: l.Kind, Method: l.Method, URL: l.URL, Status: l.Status, Forged: n.Forged, Try: try}
	sent.Code, sent.Err = s.post(l)
	s.Lock()
	defer s.Unlock()
	p.Sent = append(p.Sent, sent)
	s.counts.requests[RouteCallback]++
	s.Save(p)
	return sent, l.Body
}

// compose writes a callback. Call with the lock held.
func (s *Standin[T]) compose(p *Payment[T], n Notice, at time.Time) Letter {
	if n.Status != "" {
		to := s.word(n.Status)
		n.Status = to.Status
		if n.Reason == "" {
			n.Reason = to.Reason
		}
	}
	l := s.provider.Compose(p, n, at)
	if l.Method = n.Method; l.Method == "" {
		l.Method = http.MethodPost
	}
	l.URL = s.urlOf(p, n)
	return l
}

// post carries one callback.
func (s *Standin[T]) post(l Letter) (code int, problem string) {
	req, err := http.NewRequestWithContext(s.ctx, l.Method, l.URL, bytes.NewReader(l.Body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header = l.Header
	resp, err := s.HTTPClient.Do(req)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return 0, "given up"
		}
		return 0, err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, MaxBody))
	return resp.StatusCode, ""
}

// SendCallback sends a callback about a payment now and waits for its answer:
// a repetition of the true one or, with Forged, what somebody else would send.
// The answer to the callback is in the result.
func (s *Standin[T]) SendCallback(id string, n Notice) (Sent, error) {
	s.Lock()
	p, err := s.byHand(id, n)
	if err == nil && s.urlOf(p, n) == "" {
		err = fmt.Errorf("%w: %q", ErrNoURL, id)
	}
	if err != nil {
		s.Unlock()
		return Sent{}, err
	}
	s.sending.Add(1)
	s.Unlock()
	defer s.sending.Done()
	sent, _ := s.send(p, n, 1)
	return sent, nil
}

// Compose writes the callback that SendCallback would send.
func (s *Standin[T]) Compose(id string, n Notice) (Letter, error) {
	s.Lock()
	defer s.Unlock()
	p, err := s.byHand(id, n)
	if err != nil {
		return Letter{Header: http.Header{}}, err
	}
	return s.compose(p, n, s.Now()), nil
}

// byHand finds the payment of a callback, and judges its words. Call with the
// lock held.
func (s *Standin[T]) byHand(id string, n Notice) (*Payment[T], error) {
	p, err := s.accepted(id)
	switch {
	case err != nil:
		return nil, err
	case s.closed:
		return nil, fmt.Errorf("%w: %q: the stand-in is closed", ErrUnknown, id)
	case n.Kind != "" && !slices.Contains(s.provider.Kinds, n.Kind):
		return nil, fmt.Errorf("%w: kind %q is none of %v", ErrWord, n.Kind, s.provider.Kinds)
	case n.Forged != "" && !slices.Contains(s.provider.Forgeries, n.Forged):
		return nil, fmt.Errorf("%w: forgery %q is none of %v", ErrWord, n.Forged, s.provider.Forgeries)
	}
	return p, nil
}

// Forgeries are the ways in which somebody else sends callbacks.
func (s *Standin[T]) Forgeries() []string { return s.provider.Forgeries }
