package momfactura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// webhook is the body of an event, in the documents' order.
type webhook struct {
	Event                 string `json:"event,omitempty"`
	MerchantTransactionID string `json:"merchantTransactionId"`
	EkwanzaTransactionID  any    `json:"ekwanzaTransactionId"`
	OperationStatus       any    `json:"operationStatus"`
	OperationData         any    `json:"operationData"`
	InvoiceURL            string `json:"invoiceUrl,omitempty"`
}

// plan schedules the webhooks of a script. Call with s.mu held.
func (s *Sandbox) plan(p *payment, sc script, now time.Time) {
	for _, n := range sc.webhooks {
		s.schedule(p, n, n.after, now)
	}
}

// scheduled is a webhook to come.
type scheduled struct {
	timer  *timer
	notice notice
	at     time.Time
}

// schedule has one sent after a wait. Call with s.mu held.
func (s *Sandbox) schedule(p *payment, n notice, wait time.Duration, now time.Time) {
	next := &scheduled{notice: n, at: now.Add(wait)}
	next.timer = s.later(wait, func() {
		s.mu.Lock()
		p.pending = slices.DeleteFunc(p.pending, func(o *scheduled) bool { return o == next })
		s.mu.Unlock()
		s.send(p, n)
	})
	p.pending = append(p.pending, next)
}

// Webhook is one to be sent by hand. Body, if not empty, is sent as it is.
type Webhook struct {
	Event  string `json:"event"`           // empty: none
	Status string `json:"operationStatus"` // "1", "3", …
	Body   string `json:"body,omitempty"`
	Forged bool   `json:"forged,omitempty"` // how it is written down
}

// SendWebhook sends one now and waits for its answer; as the provider does,
// once. id is any of the payment's.
func (s *Sandbox) SendWebhook(id string, w Webhook) (SentWebhook, error) {
	s.mu.Lock()
	p := s.byID[id]
	if p == nil || s.closed {
		s.mu.Unlock()
		return SentWebhook{}, fmt.Errorf("%w: %q", ErrUnknown, id)
	}
	body := []byte(w.Body)
	if len(body) == 0 {
		body = s.body(p, notice{event: w.Event, status: w.Status})
	}
	s.flying.Add(1)
	s.mu.Unlock()
	defer s.flying.Done()
	return s.post(p, body, SentWebhook{Event: w.Event, Status: w.Status, Forged: w.Forged}), nil
}

// send sends a scheduled webhook, unless a rule loses it.
func (s *Sandbox) send(p *payment, n notice) {
	rule := Rule{}
	if !n.forged {
		rule = s.take(Call{Route: RouteWebhook, ID: p.TransactionID, Payer: p.Payer, Amount: p.Amount})
	}
	if rule.Fault == LostWebhook {
		return
	}
	s.mu.Lock()
	body := s.body(p, n)
	s.mu.Unlock()
	sent := SentWebhook{Event: n.event, Status: n.status, Forged: n.forged}
	s.post(p, body, sent)
	if rule.Fault == DoubledWebhook {
		s.post(p, body, sent)
	}
}

// body writes a webhook. Call with s.mu held.
func (s *Sandbox) body(p *payment, n notice) []byte {
	// operationData as the gateway behind the provider calls back with:
	// published by third parties only.
	amount, _ := strconv.ParseFloat(p.Amount, 64)
	kind := "REF"
	if p.Method == RouteEkwanza {
		kind = "GPO"
	}
	w := webhook{
		Event: n.event, MerchantTransactionID: p.TransactionID, EkwanzaTransactionID: p.UpstreamID, OperationStatus: n.status,
		OperationData: map[string]any{"amount": amount, "merchantIdentifier": "momenu", "referenceType": kind},
	}
	if n.event == EventInvoice {
		w.InvoiceURL = s.invoiceURL(p)
	}
	if s.opts.Dialect.Numbers {
		w.EkwanzaTransactionID, w.OperationStatus = json.Number(p.UpstreamID), json.Number(n.status)
	}
	b, _ := json.Marshal(w) // plain values: cannot fail
	return b
}

// post sends once, fire and forget, and writes down what came of it.
func (s *Sandbox) post(p *payment, body []byte, sent SentWebhook) SentWebhook {
	sent.At = s.opts.Now()
	url := s.WebhookURL()
	if url == "" {
		return sent
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		sent.Err = err.Error()
	} else {
		req.Header.Set("Content-Type", "application/json")
		resp, err := s.opts.HTTPClient.Do(req)
		if err != nil {
			sent.Err = err.Error()
		} else {
			sent.Code = resp.StatusCode
			resp.Body.Close()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Webhooks++
	p.Webhooks = append(p.Webhooks, sent)
	s.keep(p)
	return sent
}

// WebhookURL is where webhooks go; empty: nowhere.
func (s *Sandbox) WebhookURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts.WebhookURL
}

// SetWebhookURL changes it: a local system knows its own address late.
func (s *Sandbox) SetWebhookURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.WebhookURL = url
}
