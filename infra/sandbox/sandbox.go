// Package sandbox stands in for the payment providers: it answers over HTTP
// as they are documented and as others have seen them behave, and it goes
// wrong on demand. It is written from those facts alone and shares no code
// with our clients, so that a mistake in a client cannot hide here.
//
// One Sandbox is one provider world: a clock, accounts, payments, faults.
// It is served over sockets by Handler or called in process by RoundTripper;
// both run the same code. All methods are safe for concurrent use.
package sandbox

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"momoproxy/infra/sandbox/journal"
)

// Options configure a Sandbox. The zero value is usable.
type Options struct {
	// Now is the world's clock; default time.Now.
	Now func() time.Time
	// AfterFunc runs f once, d from now on the clock Now shows, and returns
	// what stops it. It must not call f before it has returned. Default
	// time.AfterFunc, which suits real time and a synctest bubble alike (make
	// the Sandbox inside the bubble); a simulation with its own event loop
	// gives its own.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	// HTTPClient carries callbacks. Default: 2 s timeout, redirects not
	// followed, no proxy.
	HTTPClient *http.Client
	// Seed makes ids, keys and tokens repeatable; 0 draws one at random.
	Seed uint64
	// Times are the waits of the payer scripts; the zero value means
	// DefaultTimes.
	Times Times
	// TokenLife is how long an access token lives; default 3600 s, as MTN
	// documents.
	TokenLife time.Duration
	// NewPlatform makes MTN the platform that production moves to: API users
	// are base64 text, a token call needs X-Target-Environment, and wrong
	// credentials are a 401 invalid_client.
	NewPlatform bool
	// SubscriptionKeys are known from the start; Provision adds more. With
	// none at all every call is answered 401.
	SubscriptionKeys []string
	// CallbackScheme restricts the scheme of X-Callback-Url to "http" or
	// "https"; empty takes both, since MTN's pages contradict each other.
	CallbackScheme string
	// CallbackRetries are the waits before each further try of a callback
	// that was not answered 2xx. Default none: MTN's pages contradict each
	// other. See DocumentedRetries.
	CallbackRetries []time.Duration
	// Remember is how long a reference id is known; 0 means for ever. MTN
	// publishes no number.
	Remember time.Duration
	// GETLimit is how many GETs in one second are within bounds; default 10.
	GETLimit int
	// EnforceGETLimit answers 429 beyond GETLimit. By default going beyond
	// is only counted.
	EnforceGETLimit bool
	// DocumentedPayers prefers MTN's documentation to what was seen where the
	// two disagree about a payer number (…453 and …454).
	DocumentedPayers bool
	// Hang bounds how long a swallowed request is held when the caller does
	// not give up; default 60 s.
	Hang time.Duration
	// InstantTimeouts makes RoundTripper answer a swallowed request at once
	// with a timeout error instead of waiting for the context.
	InstantTimeouts bool
	// Inject is asked for a fault for each request that no Rule applies to.
	// It is called without locks held, from several goroutines.
	Inject func(Call) Fault
	// Choose picks the script of a payment by something other than its payer
	// number; it is asked once per reference, before the numbers are looked
	// at. It must not call the Sandbox.
	Choose func(Call) (Plan, bool)
}

// Call names one request to a provider or one callback from it.
type Call struct {
	Provider  string // "mtn"
	Route     string // one of the Route constants
	Reference string // empty where the request names no payment
	Payer     string // empty where unknown
	Amount    string // as sent; RouteRequestToPay only
}

// Sandbox is one provider world. Make it with New, end it with Close.
type Sandbox struct {
	opts      Options
	ownClient bool
	ctx       context.Context
	cancel    context.CancelFunc
	scripts   *indexed
	flying    sync.WaitGroup // callbacks being sent

	mu     sync.Mutex
	closed bool
	rng    *rand.Rand
	timers map[*timer]struct{}
	rules  []Rule
	counts counts
	mtn    mtn

	journal *journal.Journal // nil: payments end with the process
	report  func(error)      // of what could not be written
}

// New makes a Sandbox without accounts.
func New(o Options) *Sandbox {
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
	if o.TokenLife <= 0 {
		o.TokenLife = time.Hour
	}
	if o.GETLimit <= 0 {
		o.GETLimit = 10
	}
	if o.Hang <= 0 {
		o.Hang = time.Minute
	}
	if o.Seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // never fails
		o.Seed = binary.LittleEndian.Uint64(b[:])
	}
	s := &Sandbox{opts: o, ownClient: own, rng: rand.New(rand.NewPCG(o.Seed, 0x6d6f6d6f))}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.scripts = index(o.Times, o.DocumentedPayers)
	s.timers = map[*timer]struct{}{}
	s.counts = newCounts(o.GETLimit)
	s.mtn = newMTN(o.SubscriptionKeys)
	return s
}

// Close stops everything scheduled, gives up callbacks under way and waits
// for them. A closed Sandbox still answers requests; nothing follows from
// them any more. It must not be called from a callback's handler.
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
// Accounts and tokens stay.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimers()
	s.rules = nil
	s.counts = newCounts(s.opts.GETLimit)
	s.mtn.payments = map[string]*payment{}
	s.mtn.order = nil
	if s.journal != nil {
		if err := s.journal.Clear(); err != nil {
			s.report(err)
		}
	}
}

// timer is one thing scheduled.
type timer struct{ stop func() bool }

// later runs f, which must take no part of s.mu for granted, d from now.
// Call with s.mu held.
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

// sleep waits on the world's clock; it reports false when ctx or the Sandbox
// ended first.
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
