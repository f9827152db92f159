package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// DocumentedRetries is the longer of MTN's two accounts of callback retries:
// 20 tries a second apart, then 30 two minutes apart, then hourly (here for
// a day).
func DocumentedRetries() []time.Duration {
	return slices.Concat(
		slices.Repeat([]time.Duration{time.Second}, 20),
		slices.Repeat([]time.Duration{2 * time.Minute}, 30),
		slices.Repeat([]time.Duration{time.Hour}, 24))
}

// notify schedules a callback, its wait counted from now. Without a callback
// URL there is none, as at MTN. Call with s.mu held.
func (s *Sandbox) notify(p *payment, n Notice, wait time.Duration, try int) {
	if p.callbackURL == "" && n.url == "" {
		return
	}
	next := &scheduled{notice: n, at: s.opts.Now().Add(wait), try: try}
	next.timer = s.later(wait, func() {
		s.mu.Lock()
		p.pending = slices.DeleteFunc(p.pending, func(o *scheduled) bool { return o == next })
		s.mu.Unlock()
		s.deliver(p, n, try)
	})
	p.pending = append(p.pending, next)
}

// scheduled is a callback to come.
type scheduled struct {
	timer  *timer
	notice Notice
	at     time.Time
	try    int
}

// deliver sends a callback now, unless a rule has it lost.
func (s *Sandbox) deliver(p *payment, n Notice, try int) {
	rule := Rule{}
	if !n.Forged {
		rule = s.take(Call{Provider: "mtn", Route: RouteCallback, Reference: p.reference, Payer: p.ask.Payer.PartyID})
	}
	if rule.Fault == LostCallback {
		return
	}
	if rule.DelayMS > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.later(time.Duration(rule.DelayMS)*time.Millisecond, func() { s.attempt(p, n, try, rule) })
		return
	}
	s.attempt(p, n, try, rule)
}

// attempt sends a callback and schedules the next try when it must.
func (s *Sandbox) attempt(p *payment, n Notice, try int, rule Rule) {
	sent := s.send(p, n, try)
	if rule.Fault == RepeatedCallback {
		s.send(p, n, try)
	}
	if sent.Forged || sent.Code/100 == 2 || try >= len(s.opts.CallbackRetries) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notify(p, n, s.opts.CallbackRetries[try], try+1)
	s.keep(p)
}

// send makes one attempt and notes it.
func (s *Sandbox) send(p *payment, n Notice, try int) SentCallback {
	at := s.opts.Now()
	s.mu.Lock()
	m := p.state(at)
	if n.Status != "" {
		m = moment{status: n.Status, reason: n.Reason}
	}
	b := p.tell(m)
	if n.Forged && n.Status == "SUCCESSFUL" {
		b.FinancialTransactionID = s.transactionID() // the forger does not know the true one
	}
	sent := SentCallback{At: at, Method: n.Method, URL: p.callbackURL, Status: m.status, Forged: n.Forged, Try: try + 1}
	s.mu.Unlock()
	if sent.Method == "" {
		sent.Method = http.MethodPost
	}
	if n.url != "" {
		sent.URL = n.url
	}
	body := n.body
	if body == nil {
		body, _ = json.Marshal(b) // strings only: cannot fail
	}
	sent.Code, sent.Err = s.post(sent.Method, sent.URL, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.sent = append(p.sent, sent)
	s.keep(p)
	s.counts.Requests[RouteCallback]++
	return sent
}

// post carries one callback with the headers that were seen.
func (s *Sandbox) post(method, url string, body []byte) (code int, problem string) {
	req, err := http.NewRequestWithContext(s.ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "LWAC Http Client 1.0")
	resp, err := s.opts.HTTPClient.Do(req)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return 0, "given up"
		}
		return 0, err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, ""
}

// Extra is a callback sent by hand.
type Extra struct {
	Method string          `json:"method,omitempty"` // default POST
	URL    string          `json:"url,omitempty"`    // default the payment's own
	Status string          `json:"status,omitempty"` // claimed; default the truth
	Reason string          `json:"reason,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`   // default what MTN would send
	Forged bool            `json:"forged,omitempty"` // from somebody else: the transaction id is made up
}

// SendCallback sends a callback about a payment now and waits for its
// answer: a repetition of the true one or, with Forged, what an attacker
// would send. The error wraps ErrUnknown or ErrNoURL; what became of the
// callback is in the result.
func (s *Sandbox) SendCallback(reference string, x Extra) (SentCallback, error) {
	s.mu.Lock()
	p := s.mtn.payments[strings.ToLower(reference)]
	if p == nil || p.accepted == 0 {
		s.mu.Unlock()
		return SentCallback{}, fmt.Errorf("%w: %q", ErrUnknown, reference)
	}
	none := p.callbackURL == "" && x.URL == ""
	s.mu.Unlock()
	if none {
		return SentCallback{}, fmt.Errorf("%w: %q", ErrNoURL, reference)
	}
	return s.send(p, Notice{Method: x.Method, Status: x.Status, Reason: x.Reason, Forged: x.Forged, url: x.URL, body: x.Body}, 0), nil
}
