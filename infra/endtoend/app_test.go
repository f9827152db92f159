package endtoend

import (
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/receiver"
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
type arrival = receiver.Attempt

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
	keys := receiver.Keys{APIKey: path.Base(r.URL.Path), Secret: a.secret}
	keys.Handler(time.Now, a.note).ServeHTTP(w, r)
}

func (a *app) note(_ *http.Request, n receiver.Attempt) int {
	a.mu.Lock()
	a.got = append(a.got, n)
	a.mu.Unlock()
	if n.Fault != nil {
		return http.StatusForbidden
	}
	return http.StatusOK
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
