package endtoend

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

// app is the server of all apps, a path each: it verifies both signatures of
// what arrives.
type app struct {
	base   string
	secret webhook.Secret

	mu  sync.Mutex
	got []arrival
}

// arrival is one attempt as it arrived.
type arrival struct {
	EventID     string `json:"-"`
	Fault       error  `json:"-"` // why it does not verify
	Body        []byte `json:"-"`
	Event       string `json:"event"`
	ReferenceID string `json:"referenceId"`
	ExternalID  string `json:"externalId"`
	Status      string `json:"status"`
	Sequence    int    `json:"sequence"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
}

func startApp(t *testing.T, secret webhook.Secret) *app {
	t.Helper()
	a := &app{secret: secret}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.base = server.URL + "/momo-callback/"
	return a
}

// url is the callback URL of the app with this API key.
func (a *app) url(key string) string { return a.base + key }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n arrival
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = webhook.VerifyLegacy(r.Header, body, path.Base(r.URL.Path))
	}
	if err == nil {
		n.EventID, err = webhook.Verify(r.Header, body, time.Now(), webhook.Tolerance, a.secret)
	}
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	n.Fault, n.Body = err, body
	a.mu.Lock()
	a.got = append(a.got, n)
	a.mu.Unlock()
	if err != nil {
		w.WriteHeader(http.StatusForbidden)
	}
}

// about lists what has arrived about a payment. A provider's own payload
// tells by its event's id alone which that is.
func (a *app) about(reference string) []arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []arrival
	for _, n := range a.got {
		if n.Fault != nil || n.ReferenceID == reference || n.EventID == payment.EventID(reference, 1) || n.EventID == payment.EventID(reference, 2) {
			found = append(found, n)
		}
	}
	return found
}
