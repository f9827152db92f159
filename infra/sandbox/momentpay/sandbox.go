// Package momentpay stands in for MomentPay's payment requests: it answers
// over HTTP as docs.momentco.io describes, sends signed webhooks, and goes
// wrong on demand. It shares no code with our client, so that a mistake there
// cannot hide here. What MomentPay's pages leave open is an option.
//
// One Sandbox is one account with its clock, requests and faults. It is
// served over sockets by Handler or called in process by RoundTripper. All
// methods are safe for concurrent use.
package momentpay

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"momoproxy/infra/sandbox/journal"
	"momoproxy/infra/sandbox/line"
)

// Options configure a Sandbox. SecretKey is needed; the rest has defaults.
type Options struct {
	SecretKey string // of the account: sk_test_…
	// WebhookURL is where webhooks go; empty: nowhere.
	WebhookURL string
	// WebhookSecrets sign them, whsec_ and base64, each giving a signature.
	// New panics on one that is not; so does RotateSecrets.
	WebhookSecrets []string
	// HTTPClient carries webhooks. Default: 2 s timeout, redirects not
	// followed, no proxy.
	HTTPClient *http.Client
	// Seed makes ids repeatable; 0 draws one at random.
	Seed uint64
	// Now is the clock; default time.Now. AfterFunc runs f once, d from now
	// on that clock, and returns what stops it; it must not call f before it
	// has returned. Default time.AfterFunc, which suits a synctest bubble.
	Now       func() time.Time
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	// Times are the waits of the scripts; zero means DefaultTimes.
	Times Times
	// Manual: nobody pays or lets a request fail but SetOutcome.
	Manual bool
	// Hang bounds how long nothing comes when a caller does not give up;
	// default 60 s. InstantTimeouts: RoundTripper answers at once with a
	// timeout instead.
	Hang            time.Duration
	InstantTimeouts bool

	// WebhookRetries are the waits before each further try of a webhook that
	// was not answered 2xx. MomentPay has retries and publishes no numbers;
	// default 5 s, 1 min, 10 min, 1 h.
	WebhookRetries []time.Duration
	// ContractEvents names events payment_link.created and .updated.
	ContractEvents bool
	// URLSpelling writes the link as url, not as link_url.
	URLSpelling bool
	// OwnWebhookID gives the webhook-id header another id than the body's.
	OwnWebhookID bool
	// ExpiryFirst looks at expires_at before the idempotency key.
	ExpiryFirst bool
	// PastExpiry takes a request whose expiry has passed (it is expired then)
	// instead of refusing it.
	PastExpiry bool
	// RefuseOtherBody answers 422 to a known key with another body instead of
	// replaying.
	RefuseOtherBody bool
	// FlatErrors writes errors without the object "error" around them.
	FlatErrors bool

	// Inject is asked for a fault for each exchange that no Rule applies to.
	// It is called without locks held.
	Inject func(Call) Fault
}

// Call names one request to MomentPay or one webhook from it.
type Call struct {
	Route     string // one of the Route constants
	Reference string // external_reference; empty where none is known
	Amount    int64  // minor units; 0 where unknown
}

// Times are the waits of the scripts.
type Times struct {
	Approve time.Duration // the payer pays, or whatever else ends the request
	Slow    time.Duration // a payer who takes long
	Late    time.Duration // a late webhook, after the payment
	Repeat  time.Duration // between a webhook and its repetition
}

// DefaultTimes has a payer who pays after a second.
func DefaultTimes() Times {
	return Times{Approve: time.Second, Slow: 30 * time.Second, Late: 10 * time.Minute, Repeat: time.Minute}
}

// Sandbox is one MomentPay account. Make it with New, end it with Close.
type Sandbox struct {
	opts      Options
	ownClient bool
	ctx       context.Context
	cancel    context.CancelFunc
	flying    sync.WaitGroup // webhooks being sent

	mu       sync.Mutex
	closed   bool
	rng      *rand.Rand
	secrets  []secret
	timers   map[*timer]struct{}
	rules    []Rule
	counts   map[string]int
	requests map[string]*request // by id
	order    []*request
	keys     map[string]*kept
	asked    map[string]int // submissions by external_reference, lost ones too

	journal *journal.Journal // nil: payments end with the process
	report  func(error)      // of what could not be written
}

// New makes a Sandbox without requests.
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
	if o.Hang <= 0 {
		o.Hang = time.Minute
	}
	if o.WebhookRetries == nil {
		o.WebhookRetries = []time.Duration{5 * time.Second, time.Minute, 10 * time.Minute, time.Hour}
	}
	if o.Seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // never fails
		o.Seed = binary.LittleEndian.Uint64(b[:])
	}
	s := &Sandbox{opts: o, ownClient: own, rng: rand.New(rand.NewPCG(o.Seed, 0x6d6f6d656e74)), timers: map[*timer]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.RotateSecrets(o.WebhookSecrets...)
	s.forget()
	return s
}

// forget drops everything that was asked for. Call with s.mu held.
func (s *Sandbox) forget() {
	s.rules, s.order = nil, nil
	s.counts, s.requests, s.keys, s.asked = map[string]int{}, map[string]*request{}, map[string]*kept{}, map[string]int{}
}

// Close stops everything scheduled, gives up webhooks under way and waits for
// them. It must not be called from a webhook's handler.
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

// Reset forgets requests, keys, rules and counters and drops what is
// scheduled.
func (s *Sandbox) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopTimers()
	s.forget()
	if s.journal != nil {
		if err := s.journal.Clear(); err != nil {
			s.report(err)
		}
	}
}

// Handler serves the API and, under /_sandbox/, the control API. It needs a
// connection of its own (HTTP/1) to show resets and broken answers.
func (s *Sandbox) Handler() http.Handler { return s.line() }

// RoundTripper answers requests in process, whatever host they name.
func (s *Sandbox) RoundTripper() http.RoundTripper { return s.line() }

func (s *Sandbox) line() line.Line {
	return line.Line{Serve: s.serve, Sleep: s.sleep, Hang: s.opts.Hang, InstantTimeouts: s.opts.InstantTimeouts}
}

// Counters returns how often each route was called, webhooks included.
func (s *Sandbox) Counters() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int{}
	for route, n := range s.counts {
		all[route] = n
	}
	return all
}

// idAlphabet is that of the ids in MomentPay's examples.
const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// id draws an id of that many characters behind its prefix. Call with s.mu
// held.
func (s *Sandbox) id(prefix string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = idAlphabet[s.rng.IntN(len(idAlphabet))]
	}
	return prefix + string(b)
}

// timer is one thing scheduled.
type timer struct{ stop func() bool }

// later runs f, without s.mu, d from now. Call with s.mu held.
func (s *Sandbox) later(d time.Duration, f func()) {
	if s.closed {
		return
	}
	t := &timer{}
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
}

func (s *Sandbox) stopTimers() {
	for t := range s.timers {
		delete(s.timers, t)
		t.stop()
	}
}

// sleep waits on the clock; false: ctx or the Sandbox ended first.
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

// RotateSecrets replaces the secrets that sign webhooks from now on.
func (s *Sandbox) RotateSecrets(texts ...string) {
	var all []secret
	for _, text := range texts {
		all = append(all, mustSecret(text))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = slices.Clip(all)
}
