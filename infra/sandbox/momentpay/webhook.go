package momentpay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// secret is a webhook secret's key.
type secret []byte

func mustSecret(text string) secret {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) == 0 {
		panic("sandbox: a webhook secret must be whsec_ and base64")
	}
	return key
}

// sign makes a Standard Webhooks signature.
func (k secret) sign(id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, k)
	_, _ = mac.Write([]byte(id + "." + timestamp + "."))
	_, _ = mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Forgery is a way in which somebody without the secret tries.
type Forgery string

// The forgeries. Replayed is a true webhook sent again four minutes late.
const (
	Unsigned    Forgery = "unsigned"
	OtherSecret Forgery = "other_secret"
	Tampered    Forgery = "tampered" // a true signature over another body
	Replayed    Forgery = "replayed"
	Future      Forgery = "future" // a true signature of four minutes hence
)

// Forgeries lists them.
func Forgeries() []Forgery { return []Forgery{Unsigned, OtherSecret, Tampered, Replayed, Future} }

// notice is a webhook to be sent.
type notice struct {
	kind   string // "created", "updated", "paid" or "strange"
	after  time.Duration
	status string // claimed; default the truth when it is sent
	bare   bool   // without amount and currency
	again  bool   // under the id of the last one: a repetition
	forged Forgery
}

// Webhook is one as it goes over the wire.
type Webhook struct {
	Header http.Header
	Body   []byte
}

// SentWebhook is one that was sent, or tried.
type SentWebhook struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"` // the event's
	Type   string    `json:"type"`
	Status string    `json:"status"` // what it claimed
	Forged Forgery   `json:"forged,omitempty"`
	Try    int       `json:"try"`            // 1 is the first
	Code   int       `json:"code,omitempty"` // answered; 0 when no answer came
	Err    string    `json:"err,omitempty"`
}

// event is a webhook's body with what it is known by.
type event struct {
	id, kind, status string
	body             []byte
}

// compose writes a notice about a request. Call with s.mu held.
func (s *Sandbox) compose(r *request, n notice) event {
	at := s.opts.Now()
	data := s.view(r, at, "")
	if n.status != "" {
		data["status"] = n.status
	}
	if n.bare {
		delete(data, "amount")
		delete(data, "currency")
	}
	name := map[string]string{"created": "payment_request.created", "updated": "payment_request.updated", "paid": "payment_request.paid", "strange": "obligation.amount_applied"}[n.kind]
	if s.opts.ContractEvents && n.kind != "strange" {
		name = map[string]string{"created": "payment_link.created", "updated": "payment_link.updated", "paid": "payment_link.updated"}[n.kind]
	}
	e := event{id: s.id("evt_", 20), kind: name, status: data["status"].(string)}
	if n.again && len(r.sent) > 0 {
		e.id = r.sent[len(r.sent)-1].ID
	}
	// A map of strings, numbers and maps always marshals.
	e.body, _ = json.Marshal(map[string]any{"id": e.id, "type": e.kind, "data": data})
	return e
}

// wrap signs an event for one try. Call with s.mu held.
func (s *Sandbox) wrap(e event, how Forgery) Webhook {
	id := e.id
	if s.opts.OwnWebhookID {
		id = "msg_" + strings.TrimPrefix(e.id, "evt_")
	}
	at, body := s.opts.Now(), e.body
	secrets := s.secrets
	switch how {
	case Replayed:
		at = at.Add(-4 * time.Minute)
	case Future:
		at = at.Add(4 * time.Minute)
	case OtherSecret:
		secrets = []secret{[]byte("a secret that MomentPay has never handed out")}
	case Tampered:
		body = bytes.Replace(body, []byte(`"amount":`), []byte(`"amount":1`), 1)
	}
	w := Webhook{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, k := range secrets {
		signatures = append(signatures, k.sign(id, stamp, e.body))
	}
	w.Header.Set("Webhook-Id", id)
	w.Header.Set("Webhook-Timestamp", stamp)
	if how != Unsigned && len(signatures) > 0 {
		w.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	}
	return w
}

// tell schedules a webhook. Call with s.mu held.
func (s *Sandbox) tell(r *request, n notice, wait time.Duration) {
	if s.opts.WebhookURL == "" {
		return
	}
	s.later(wait, func() {
		rule := Rule{}
		if n.forged == "" {
			rule = s.take(Call{Route: RouteWebhook, Reference: r.reference, Amount: r.amount})
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		switch e := s.compose(r, n); {
		case rule.Fault == LostWebhook:
		case rule.DelayMS > 0:
			s.later(time.Duration(rule.DelayMS)*time.Millisecond, func() { s.deliver(r, e, n.forged, 1) })
		case rule.Fault == RepeatedWebhook:
			s.later(0, func() { s.deliver(r, e, n.forged, 1) })
			s.later(s.opts.Times.Repeat, func() { s.deliver(r, e, n.forged, 1) })
		default:
			s.later(0, func() { s.deliver(r, e, n.forged, 1) })
		}
	})
}

// deliver makes one try, without s.mu, and schedules the next when it must:
// under the same id, with a new time and signature.
func (s *Sandbox) deliver(r *request, e event, how Forgery, try int) SentWebhook {
	s.mu.Lock()
	w := s.wrap(e, how)
	s.counts[RouteWebhook]++
	s.mu.Unlock()
	sent := SentWebhook{At: s.opts.Now(), ID: e.id, Type: e.kind, Status: e.status, Forged: how, Try: try}
	sent.Code, sent.Err = s.post(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.sent = append(r.sent, sent)
	s.keep(r)
	if sent.Code/100 != 2 && how == "" && try <= len(s.opts.WebhookRetries) {
		s.later(s.opts.WebhookRetries[try-1], func() { s.deliver(r, e, how, try+1) })
	}
	return sent
}

func (s *Sandbox) post(w Webhook) (code int, problem string) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.opts.WebhookURL, bytes.NewReader(w.Body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header = w.Header
	resp, err := s.opts.HTTPClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, ""
}
