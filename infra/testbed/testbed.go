// Package testbed is the whole system in one test: the API's handlers, the
// gateway, the ledger, the forwarder and the real MTN adapter over an
// in-memory table and queue, with the sandbox as MTN and a recording app as
// the one that is called back. Make it inside a testing/synctest bubble: its
// clock is the bubble's, so that days pass in milliseconds.
package testbed

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"momoproxy/infra/receiver"
	"momoproxy/infra/standin"
	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/httpapi"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/queue"
	queuememory "momoproxy/shared/queue/memory"
	"momoproxy/shared/seal"
	"momoproxy/shared/table"
	tablememory "momoproxy/shared/table/memory"
	"momoproxy/shared/telemetry"
	"momoproxy/shared/webhook"
)

// The secrets of a World. Nothing that is stored or logged may show them.
const (
	ShopKey         = "shop-key-4f6b2d0c9a8e7f6d5c4b3a291807f6e5"
	OtherKey        = "other-key-0a1b2c3d4e5f60718293a4b5c6d7e8f9"
	ShopSecret      = "whsec_c2hvcHNob3BzaG9wc2hvcHNob3BzaG9wc2hvcHNob3A="
	OtherSecret     = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVyb3Q="
	MTNUser         = "3f2a1b0c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
	MTNKey          = "mtn-api-key-0123456789abcdef0123456789"
	SubscriptionKey = "mtn-subscription-key-fedcba9876543210"
	DisbursementKey = "mtn-disbursement-key-fedcba9876543210"
)

// Addresses of a World.
const (
	PublicURL = "https://momopay.example.com"
	ShopURL   = "https://shop.example.com/momo"
	OtherURL  = "https://other.example.com/momo"
)

// Options change a World; the zero value is a healthy one.
type Options struct {
	// Table and Queue wrap what everything uses. The World's own looks at
	// Memory and Messages go past them.
	Table func(table.Table) table.Table
	Queue func(queue.Queue) queue.Queue
	// MTN wraps the connection to MTN, which is the sandbox in process.
	MTN func(http.RoundTripper) http.RoundTripper
	// Sandbox changes the sandbox's options before it is made.
	Sandbox func(*mtnstand.Options)
	// Account changes the variables of an account beside MTN's before its
	// adapter is made.
	Account func(provider string, variables map[string]string)
	// Currency is the account's, in MTN's sandbox environment, which takes
	// any payer; empty: SZL.
	Currency       string
	TrustCallbacks bool
	Retention      time.Duration // how long an ended payment is kept; 0: nothing is deleted
	Limits         *httpapi.RateLimit
	// Observe sees every request to the API and its answer. Providers call the
	// API beside the test, so several calls of it may run at once.
	Observe func(httpapi.Request, httpapi.Response)
	// Change alters a process before it serves. Afterwards the providers'
	// callbacks may read what it is made of at any time.
	Change func(*gateway.Gateway, *httpapi.API)
	Seed   uint64 // of ids, tokens and keys; 0: 1
}

// World is one system with three providers and two apps, Shop and Other.
type World struct {
	t testing.TB

	Memory    *tablememory.Table // what is stored
	Table     table.Table        // what the system sees of it
	Messages  *queuememory.Queue
	Queue     queue.Queue
	Sandbox   *mtnstand.Standin
	MTN       provider.Provider
	Ring      *seal.Ring
	Payers    *seal.Hasher
	Ledger    *ledger.Ledger
	Gateway   *gateway.Gateway
	Refunds   *gateway.Refunds
	API       *httpapi.API
	Forwarder *forwarder.Forwarder
	Sweeper   *forwarder.Sweeper
	App       *App // receives for both apps

	Shop, Other ledger.Client

	others  []standin.Standin           // the providers beside MTN; see Standin
	beat    func(context.Context) error // of the reconciler
	noted   *notedTable
	log     logBuffer
	observe func(httpapi.Request, httpapi.Response)
	mu      sync.RWMutex // routes: MTN may call while a process is replaced
	routes  map[string]httpapi.Handler
}

// New makes a World that ends with the test.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Currency == "" {
		o.Currency = "SZL"
	}
	w := &World{t: t, Memory: tablememory.New(), Messages: queuememory.New(time.Now, 5), observe: o.Observe}
	w.noted = &notedTable{Table: w.Memory, keys: map[table.Key]bool{}}
	w.Table, w.Queue = w.noted, w.Messages
	if o.Table != nil {
		w.Table = o.Table(w.noted)
	}
	if o.Queue != nil {
		w.Queue = o.Queue(w.Messages)
	}
	w.Ring = must(seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize)))(t)
	w.Payers = must(seal.NewHasher(bytes.Repeat([]byte{8}, seal.KeySize)))(t)
	w.App = &App{t: t, clients: map[string]receiver.Keys{}}
	w.startSandbox(o)
	w.Restart(o)

	ctx := context.Background()
	// The apps are made past the faults.
	setup := ledger.New(w.noted, w.Ring, ledger.Options{Random: newRandom(o.Seed + 3)})
	app := func(id, name, key, secret, url string) ledger.Client {
		w.App.clients[url] = receiver.Keys{APIKey: key, Secret: must(webhook.ParseSecret(secret))(t)}
		return must(setup.CreateClient(ctx, ledger.Client{
			ID: id, Name: name, CallbackURL: url, Active: true, CreatedAt: ledger.Clock(time.Now()),
			APIKey: key, SigningSecrets: []string{secret},
		}))(t)
	}
	w.Shop = app("cli_shop", "Shop", ShopKey, ShopSecret, ShopURL)
	w.Other = app("cli_other", "Other", OtherKey, OtherSecret, OtherURL)
	return w
}

// startSandbox makes MTN, whose callbacks come in by the API's routes.
func (w *World) startSandbox(o Options) {
	so := mtnstand.Options{Options: core.Options{Seed: o.Seed, HTTPClient: &http.Client{Transport: inbound{w}, Timeout: 5 * time.Second}}}
	if o.Sandbox != nil {
		o.Sandbox(&so)
	}
	w.Sandbox = mtnstand.New(so)
	w.t.Cleanup(w.Sandbox.Close)
	must(w.Sandbox.Provision(mtnstand.Account{
		APIUser: MTNUser, APIKey: MTNKey, SubscriptionKey: SubscriptionKey, DisbursementKey: DisbursementKey,
		Currency: o.Currency, CallbackHost: "momopay.example.com",
	}))(w.t)
	w.startOthers(o)
}

// Restart replaces every part that holds state in a process's memory, as the
// end of one process and the start of another does. Table, queue, MTN and
// apps live on. o is that of New.
func (w *World) Restart(o Options) {
	w.t.Helper()
	var transport http.RoundTripper = w.Sandbox.RoundTripper()
	if o.MTN != nil {
		transport = o.MTN(transport)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Currency == "" {
		o.Currency = "SZL"
	}
	w.Ledger = ledger.New(w.Table, w.Ring, ledger.Options{Random: newRandom(o.Seed + 1), HashPayer: w.Payers.Hash, Retention: o.Retention})
	w.MTN = must(mtn.New(mtn.Config{
		BaseURL: "https://mtn.example.com", TargetEnvironment: mtn.Sandbox, Currency: o.Currency,
		APIUser: MTNUser, APIKey: MTNKey, SubscriptionKey: SubscriptionKey,
	}, w.Ledger.ProviderTokens(time.Now), &http.Client{Transport: transport}, time.Now,
		mtn.WithBackoff(func(attempt int) time.Duration { return time.Duration(attempt) * 300 * time.Millisecond })))(w.t)
	parts := assembly.Parts{
		Config:    config.Config{PublicBaseURL: PublicURL, Version: "test", CallbackPolicy: config.Confirm},
		Providers: providers.All(), Table: w.Table, Queue: w.Queue, Ledger: w.Ledger, Log: telemetry.New(&w.log, slog.LevelDebug),
		Host: host.Machine(), Apps: w.App,
	}
	if o.TrustCallbacks {
		parts.Config.CallbackPolicy = config.Trust
	}
	parts.Random, parts.Jitter = newRandom(o.Seed+2), func() float64 { return 0.5 }
	w.Gateway = payments.Over(parts, append([]provider.Provider{w.MTN}, w.adapters(o)...))
	w.Refunds = payments.RefundsOver(parts, map[string]provider.Refunder{mtn.Name: must(mtn.NewDisbursement(mtn.Config{
		BaseURL: "https://mtn.example.com", TargetEnvironment: mtn.Sandbox, Currency: o.Currency,
		APIUser: MTNUser, APIKey: MTNKey, SubscriptionKey: DisbursementKey,
	}, w.Ledger.ProviderTokens(time.Now), &http.Client{Transport: transport}, time.Now))(w.t)})
	w.API = routes.Over(parts, w.Gateway, w.Refunds)
	w.API.Limits = o.Limits
	w.Forwarder, w.Sweeper, w.beat = parts.Forwarder(), parts.Sweeper(), parts.Beat
	if o.Change != nil {
		o.Change(w.Gateway, w.API)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routes = w.API.Handlers()
}

// Log is everything logged so far.
func (w *World) Log() string { return w.log.String() }

// Payment reads a stored payment past every fault.
func (w *World) Payment(reference string) ledger.Payment {
	w.t.Helper()
	return must(w.past().Payment(context.Background(), reference))(w.t)
}

// Story reads a payment's whole story past every fault.
func (w *World) Story(reference string) ledger.Story {
	w.t.Helper()
	return must(w.past().Story(context.Background(), reference))(w.t)
}

// Trail reads a payment's audit records past every fault.
func (w *World) Trail(reference string) []ledger.AuditRecord {
	w.t.Helper()
	return must(w.past().AuditTrail(context.Background(), reference))(w.t)
}

func (w *World) past() *ledger.Ledger { return ledger.New(w.Memory, w.Ring, ledger.Options{}) }

// Charged is how often MTN has moved money, over all payments.
func (w *World) Charged() int {
	n := 0
	for _, e := range w.Sandbox.Ledger() {
		n += e.Charges
	}
	return n
}

// Status is a stored payment's status.
func (w *World) Status(reference string) payment.Status { return w.Payment(reference).Status }

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRandom makes a repeatable source that several goroutines may read.
func newRandom(seed uint64) io.Reader {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return &lockedReader{r: rand.NewChaCha8(key)}
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// must ends the test on an error.
func must[V any](v V, err error) func(testing.TB) V {
	return func(t testing.TB) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
