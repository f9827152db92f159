package momfactura_test

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/standin/core"
	facturastand "momoproxy/infra/standin/momfactura"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momfactura"
)

const (
	apiKey       = "mf_test_4d7a1b90c3e2"
	webhookToken = "hook-token-0123456789abcdef"
)

// world is an adapter over the stand-in.
type world struct {
	*facturastand.Standin
	*momfactura.Provider
	server *httptest.Server // nil: without a socket
}

func newStand(d facturastand.Dialect) *facturastand.Standin {
	times := facturastand.DefaultTimes()
	times.Approve = time.Millisecond // how long MCX takes to answer
	return facturastand.New(facturastand.Options{Options: core.Options{Seed: 1, Times: times}, APIKey: apiKey, Dialect: d})
}

// virtually runs f in a bubble of synctest, where no time limit is real. The
// adapter reaches the stand-in without a socket.
func virtually(t *testing.T, f func(*testing.T, world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newStand(facturastand.Dialect{})
		defer s.Close()
		p, err := momfactura.New(momfactura.Config{BaseURL: "http://localhost", APIKey: apiKey, TestMode: true}, &http.Client{Transport: s.RoundTripper()}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		f(t, world{Standin: s, Provider: p})
	})
}

func newWorld(t *testing.T, d facturastand.Dialect, attempt time.Duration) world {
	t.Helper()
	s := newStand(d)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		s.Close()
	})
	cfg := momfactura.Config{
		BaseURL: server.URL, APIKey: apiKey, WebhookToken: webhookToken, TestMode: true, AttemptTimeout: attempt,
	}
	return world{s, adapter(t, cfg), server}
}

func adapter(t *testing.T, cfg momfactura.Config) *momfactura.Provider {
	t.Helper()
	client := momfactura.NewHTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	p, err := momfactura.New(cfg, client, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serial makes amounts that no other payment of a test has: nothing
// else of ours reaches the provider.
var serial atomic.Int64

// newPayment is one that stays pending at the stand-in.
func newPayment(method string) payment.Payment {
	return withCents(method, 10)
}

// withCents is one whose cents choose what becomes of it.
func withCents(method string, cents int64) payment.Payment {
	n := serial.Add(1)
	now := time.Now().UTC()
	p := payment.Payment{
		Reference: payment.NewReference(rand.Reader), ExternalID: "ORDER-1", Provider: momfactura.Name, Method: method,
		Amount: payment.Money{Minor: (1000+n)*100 + cents, Currency: "AOA"}, Status: payment.Pending, Phase: payment.PhaseSubmitting,
		CreatedAt: now, SubmitDeadline: now.Add(time.Minute),
	}
	if method != momfactura.MethodReference {
		p.Payer = "244923456789"
	}
	return p
}

// made counts the stand-in's payments of p's amount.
func (w world) made(p payment.Payment) int {
	n := 0
	for _, e := range w.Ledger() {
		if e.Amount == p.Amount.Decimal() {
			n += e.Accepted
		}
	}
	return n
}

func (w world) calls() int {
	n := 0
	for _, of := range w.Counters().Requests {
		n += of
	}
	return n
}

// canned answers every request with the same.
func canned(t *testing.T, code int, body string) *momfactura.Provider {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return adapter(t, momfactura.Config{BaseURL: server.URL, APIKey: apiKey, WebhookToken: webhookToken, TestMode: true})
}

// known is p with what an answer tells about it.
func known(p payment.Payment, e payment.Evidence) payment.Payment {
	return payment.Decide(p, e, payment.Policy{FirstCheck: 1, MaxInterval: 1, Window: 1 << 62, GiveUp: 1 << 62, LateInterval: 1}).Payment
}
