// Package momfactura stands in for Mom Factura (Momenu): it answers over HTTP
// as the provider's pages describe it, in either of the forms in which they
// contradict each other, sends its webhooks, and goes wrong on demand. It is
// written from those pages alone and shares no code with the adapter.
//
// One Sandbox is one merchant's account. It is served over sockets by Handler
// or called in process by RoundTripper; both run the same code. All methods
// are safe for concurrent use.
package momfactura

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"momoproxy/infra/sandbox/journal"
	"momoproxy/infra/sandbox/line"
)

// Options configure a Sandbox. The zero value is usable.
type Options struct {
	// APIKey is the one key that is known; default DefaultAPIKey.
	APIKey string
	// WebhookURL is where the events go; empty: nowhere.
	WebhookURL string
	// HTTPClient carries webhooks. Default: 2 s timeout, redirects not
	// followed, no proxy.
	HTTPClient *http.Client
	// Now is the account's clock; default time.Now.
	Now func() time.Time
	// AfterFunc runs f once, d from now on the clock Now shows, and returns
	// what stops it. It must not call f before it has returned. Default
	// time.AfterFunc, which suits real time and a synctest bubble alike.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	// Seed makes ids repeatable; 0 draws one at random.
	Seed uint64
	// Times are the waits of the scripts; the zero value means DefaultTimes.
	Times Times
	// Dialect chooses between the provider's contradicting pages.
	Dialect Dialect
	// EnforceLimits answers 429 beyond the provider's limits. By default
	// going beyond is only counted.
	EnforceLimits bool
	// Hang bounds how long a swallowed request is held when the caller does
	// not give up; default 60 s.
	Hang time.Duration
	// InstantTimeouts makes RoundTripper answer a swallowed request at once
	// with a timeout error instead of waiting for the context.
	InstantTimeouts bool
	// Inject is asked for a fault for each request that no Rule applies to.
	// It is called without locks held, from several goroutines.
	Inject func(Call) Fault
	// Choose picks the script of a payment by something other than its
	// amount; empty: the amount decides. It must not call the Sandbox.
	Choose func(Call) string
}

// DefaultAPIKey is the key of a Sandbox that was given none.
const DefaultAPIKey = "mf_test_0000000000000000"

// Dialect says which of the provider's pages to follow where two disagree.
// The zero value is the published skill's, with the ids that the SDK adds.
type Dialect struct {
	// SDK uses the SDK's words: open, paid, cancelled.
	SDK bool
	// SwapNesting answers a reference's status flat and E-kwanza's nested.
	SwapNesting bool
	// Bare leaves out the ids that only the SDK knows of, so that webhooks
	// name nothing that was in an answer.
	Bare bool
	// Numbers writes operationStatus and ekwanzaTransactionId as numbers.
	Numbers bool
	// WithdrawOptional takes payments without instantWithdraw, as before
	// 2026-06.
	WithdrawOptional bool
	// NoEkwanza answers 404 to E-kwanza, as the newest pages suggest.
	NoEkwanza bool
}

// Call names one request to the provider or one webhook from it.
type Call struct {
	Route  string // one of the Route constants
	ID     string // the operation id or code in the path; empty: none
	Payer  string // as sent; empty: none
	Amount string // as sent, or of the payment asked about
}

// Sandbox is one account. Make it with New, end it with Close.
type Sandbox struct {
	opts      Options
	ownClient bool
	ctx       context.Context
	cancel    context.CancelFunc
	flying    sync.WaitGroup // webhooks being sent

	mu       sync.Mutex
	closed   bool
	rng      *rand.Rand
	timers   map[*timer]struct{}
	rules    []Rule
	payments []*payment
	byID     map[string]*payment // every id of every payment
	counts   counts

	journal *journal.Journal // nil: payments end with the process
	report  func(error)      // of what could not be written
}

// New makes a Sandbox without payments.
func New(o Options) *Sandbox {
	if o.APIKey == "" {
		o.APIKey = DefaultAPIKey
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AfterFunc == nil {
		o.AfterFunc = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	own := o.HTTPClient == nil
	if own {
		o.HTTPClient = &http.Client{
			Timeout:       2 * time.Second,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 10 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.Times == (Times{}) {
		o.Times = DefaultTimes()
	}
	if o.Hang <= 0 {
		o.Hang = time.Minute
	}
	if o.Seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // never fails
		o.Seed = binary.LittleEndian.Uint64(b[:])
	}
	s := &Sandbox{opts: o, ownClient: own, rng: rand.New(rand.NewPCG(o.Seed, 0x66617475))}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.timers = map[*timer]struct{}{}
	s.byID = map[string]*payment{}
	s.counts = newCounts()
	return s
}

// Close stops everything scheduled, gives up webhooks under way and waits for
// them. A closed Sandbox still answers requests; nothing follows from them
// any more. It must not be called from a webhook's handler.
func (s *Sandbox) Close() {
	s.mu.Lock()
	s.closed = true
	s.stopTimers()
	s.mu.Unlock()
	s.cancel()
	s.flying.Wait()
	if s.journal != nil {
		_ = s.journal.Close() // each line is written already
	}
	if s.ownClient {
		s.opts.HTTPClient.CloseIdleConnections()
	}
}

// Reset forgets payments, rules and counters and drops what is scheduled.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimers()
	s.rules, s.payments, s.byID, s.counts = nil, nil, map[string]*payment{}, newCounts()
	if s.journal != nil {
		if err := s.journal.Clear(); err != nil {
			s.report(err)
		}
	}
}

// Handler serves the provider and, under /_sandbox/, the control API. It
// needs a connection of its own (HTTP/1) to show resets and broken answers.
func (s *Sandbox) Handler() http.Handler { return s.line() }

// RoundTripper answers requests in process, without sockets and whatever
// host they name; see line.Line.
func (s *Sandbox) RoundTripper() http.RoundTripper { return s.line() }

func (s *Sandbox) line() line.Line {
	return line.Line{Serve: s.serve, Sleep: s.sleep, Hang: s.opts.Hang, InstantTimeouts: s.opts.InstantTimeouts}
}

// timer is one thing scheduled.
type timer struct{ stop func() bool }

// later runs f, without s.mu, d from now. Call with s.mu held.
func (s *Sandbox) later(d time.Duration, f func()) *timer {
	t := &timer{}
	if s.closed {
		return t
	}
	s.timers[t] = struct{}{}
	t.stop = s.opts.AfterFunc(max(d, 0), func() {
		s.mu.Lock()
		_, live := s.timers[t]
		if !live || s.closed {
			s.mu.Unlock()
			return
		}
		delete(s.timers, t)
		s.flying.Add(1)
		s.mu.Unlock()
		defer s.flying.Done()
		f()
	})
	return t
}

// drop stops one timer. Call with s.mu held.
func (s *Sandbox) drop(t *timer) {
	if _, live := s.timers[t]; live {
		delete(s.timers, t)
		t.stop()
	}
}

func (s *Sandbox) stopTimers() {
	for t := range s.timers {
		s.drop(t)
	}
}

// sleep waits on the account's clock; it reports false when ctx or the
// Sandbox ended first.
func (s *Sandbox) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	done := make(chan struct{})
	stop := s.opts.AfterFunc(d, func() { close(done) })
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	stop()
	return false
}
