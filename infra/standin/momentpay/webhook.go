package momentpay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"momoproxy/infra/standin/core"
)

// secret is a webhook secret's key.
type secret []byte

func mustSecret(text string) secret {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) == 0 {
		panic("stand-in: a webhook secret must be whsec_ and base64")
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

// The ways in which somebody without the secret tries. Replayed is a true
// webhook sent again four minutes late.
const (
	OtherSecret = "other_secret"
	Unsigned    = "unsigned"
	Tampered    = "tampered" // a true signature over another body
	Replayed    = "replayed"
	Future      = "future" // a true signature of four minutes hence
)

// Forgeries lists them.
func Forgeries() []string { return []string{OtherSecret, Unsigned, Tampered, Replayed, Future} }

// compose writes a webhook and signs it for one try.
func (s *Standin) compose(p *payment, n core.Notice, at time.Time) core.Letter {
	if n.Kind == "" {
		n.Kind = KindPaid
	}
	name := map[string]string{KindCreated: "payment_request.created", KindUpdated: "payment_request.updated", KindPaid: "payment_request.paid"}[n.Kind]
	if s.opts.ContractEvents {
		name = map[string]string{KindCreated: "payment_link.created", KindUpdated: "payment_link.updated", KindPaid: "payment_link.updated"}[n.Kind]
	}
	if n.Kind == KindStrange {
		name = "obligation.amount_applied"
	}
	data := s.view(p, at, "")
	if n.Status != "" {
		data["status"] = n.Status
	}
	if n.Bare {
		delete(data, "amount")
		delete(data, "currency")
	}
	l := core.Letter{ID: n.ID, Kind: name, Status: data["status"].(string), Body: n.Body}
	switch {
	case l.ID != "": // a further try
	case n.Again && len(p.Sent) > 0:
		l.ID = p.Sent[len(p.Sent)-1].ID
	default:
		l.ID = s.id("evt_", 20)
	}
	if l.Body == nil {
		// A map of strings, numbers and maps always marshals.
		l.Body, _ = json.Marshal(map[string]any{"id": l.ID, "type": name, "data": data})
	}
	s.sign(&l, n.Forged, at)
	return l
}

// sign gives a webhook its headers, or those of a forger.
func (s *Standin) sign(l *core.Letter, how string, at time.Time) {
	id := l.ID
	if s.opts.OwnWebhookID {
		id = "msg_" + strings.TrimPrefix(id, "evt_")
	}
	signed, secrets := l.Body, s.secrets
	switch how {
	case Replayed:
		at = at.Add(-4 * time.Minute)
	case Future:
		at = at.Add(4 * time.Minute)
	case OtherSecret:
		secrets = []secret{[]byte("a secret that MomentPay has never handed out")}
	case Tampered:
		l.Body = bytes.Replace(l.Body, []byte(`"amount":`), []byte(`"amount":1`), 1)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, k := range secrets {
		signatures = append(signatures, k.sign(id, stamp, signed))
	}
	l.Header = http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp}}
	if how != Unsigned && len(signatures) > 0 {
		l.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	}
}
