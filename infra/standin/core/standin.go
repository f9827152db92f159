// Package core is what every provider's stand-in has: a clock, a connection
// that can go wrong, rules and faults, books of payments, callbacks, and the
// control API. A provider adds its wire format and its scripts.
//
// It shares no code with the product's clients, so that a mistake in a client
// cannot hide here.
package core

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options configure a stand-in. The zero value is usable.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// AfterFunc runs f once, d from now on the clock Now shows, and returns
	// what stops it. It must not call f before it has returned. Default
	// time.AfterFunc, which suits real time and a synctest bubble alike (make
	// the stand-in inside the bubble); a simulation with its own event loop
	// gives its own.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	// HTTPClient carries callbacks. Default: 2 s timeout, redirects not
	// followed, no proxy.
	HTTPClient *http.Client
	// Seed makes ids, keys and tokens repeatable; 0 draws one at random.
	Seed uint64
	// Times are the waits of the scripts; the zero value means the provider's.
	Times Times
	// CallbackURL is where callbacks go, where the provider knows one address
	// and not one of each payment; empty: nowhere.
	CallbackURL string
	// CallbackToken is the secret part of CallbackURL, where Start makes one;
	// empty: drawn.
	CallbackToken string
	// CallbackRetries are the waits before each further try of a callback that
	// was not answered 2xx; nil: the provider's.
	CallbackRetries []time.Duration
	// EnforceLimits answers 429 beyond the provider's limits. By default going
	// beyond is only counted.
	EnforceLimits bool
	// Hang bounds how long a swallowed request is held when the caller does
	// not give up; default 60 s.
	Hang time.Duration
	// InstantTimeouts makes RoundTripper answer a swallowed request at once
	// with a timeout error instead of waiting for the context.
	InstantTimeouts bool
	// Most bounds how many payments are remembered; default 10,000. Beyond it
	// the oldest that have ended are dropped, and when none has, the oldest.
	Most int
	// Inject is asked for a fault for each exchange that no Rule applies to.
	// It is called without locks held, from several goroutines.
	Inject func(Call) Fault
	// Choose picks the script of a payment; if it does not, a rule or what the
	// payment asks for decides. It must not call the stand-in, Script aside.
	Choose func(Call) (Script, bool)
}

// Call names one request to a provider or one callback from it.
type Call struct {
	Provider  string
	Route     string
	Reference string // as the request names the payment; empty where it names none
	Original  string // the payment that a refund is of
	Payer     string // empty where unknown
	Amount    string // as sent, or of the payment asked about
}

// Provider is what a provider adds to the core. T is what its payments hold
// beside what all have; its exported fields are kept.
type Provider[T any] struct {
	Name string
	// Routes are those of requests, as rules and counters name them; Paying
	// are those of them that make payments.
	Routes, Paying []string
	// PaysOut are the methods of payments that move money to a payee.
	PaysOut []string
	// Find says which route a request takes, what its path names, and who
	// answers it; a nil answer: there is none.
	Find func(*http.Request) (route string, args []string, answer func(*Request) Answer)
	// Admit answers what a front before the payment system refuses; ok is
	// true where it lets the request pass.
	Admit func(*Request) (no Answer, ok bool)
	// About says what a request is about, as far as is known without
	// judging it. Provider and Route are filled in.
	About func(*Request, *Call)
	// Refuse is an error of an HTTP status in the provider's form.
	Refuse func(code int) Answer
	// Refusal is an error of one of the provider's codes.
	Refusal func(code string) Answer
	// Faults are those beside the common ones.
	Faults []OwnFault
	// Scripts are what may become of a payment. The first is the ordinary one.
	Scripts *Catalogue
	// Outcomes are what Approve, Decline and Expire mean.
	Outcomes map[string]Outcome
	// Open is the status that nobody has decided; Charged the one that money
	// has moved in; Final all that end a payment.
	Open, Charged string
	Final         []string
	// Settle is what the provider makes of a state that was set by hand, and
	// what follows from it; or it refuses. nil: the state stays.
	Settle func(p *Payment[T], to State) ([]State, error)
	// Announce are the callbacks of an ending set by hand; nil: one.
	Announce func(p *Payment[T], to State) []Notice
	// Compose writes one callback. It is called with the lock held.
	Compose func(p *Payment[T], n Notice, at time.Time) Letter
	// Kinds are the words for Notice.Kind, Forgeries those for Notice.Forged.
	Kinds, Forgeries []string
	// Times are the waits of its scripts, Retries those of its callbacks.
	Times   Times
	Retries []time.Duration
	// Reset forgets what the provider itself remembers; nil: nothing.
	Reset func()
	// Control answers calls of the control API that only this provider has;
	// nil: there are none.
	Control func(call string) (Answer, bool)
}

// Standin is one account of one provider. Make it with New, end it with
// Close. Its methods are safe for concurrent use; those that say so need the
// lock, which guards the provider's own data as well.
type Standin[T any] struct {
	sync.Mutex
	Options

	provider  Provider[T]
	faults    map[Fault]faultKind
	ownClient bool
	ctx       context.Context
	cancel    context.CancelFunc
	sending   sync.WaitGroup // callbacks

	closed  bool
	rng     *rand.Rand
	timers  map[*timer]struct{}
	rules   []Rule
	counts  counts
	byID    map[string]*Payment[T]
	order   []*Payment[T] // oldest first
	newest  *Payment[T]   // that was accepted
	journal *journal      // nil: payments end with the process
	report  func(error)   // of what could not be written
}

// New makes a stand-in without payments.
func New[T any](o Options, p Provider[T]) *Standin[T] {
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
		o.Times = p.Times
	}
	if o.CallbackRetries == nil {
		o.CallbackRetries = p.Retries
	}
	if o.Hang <= 0 {
		o.Hang = time.Minute
	}
	if o.Most <= 0 {
		o.Most = 10_000
	}
	if o.Seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // never fails
		o.Seed = binary.LittleEndian.Uint64(b[:])
	}
	var name uint64
	for _, c := range p.Name {
		name = name*31 + uint64(c)
	}
	s := &Standin[T]{Options: o, provider: p, ownClient: own, rng: rand.New(rand.NewPCG(o.Seed, name)), faults: faultsOf(p.Refuse, p.Faults)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.forgetAll()
	return s
}

func (s *Standin[T]) forgetAll() {
	s.timers, s.rules, s.counts = map[*timer]struct{}{}, nil, newCounts()
	s.byID, s.order, s.newest = map[string]*Payment[T]{}, nil, nil
}

// Provider is its name, as the product's configuration has it.
func (s *Standin[T]) Provider() string { return s.provider.Name }

// Close stops everything scheduled, gives up callbacks under way and waits
// for them. A closed stand-in still answers requests; nothing follows from
// them any more. It must not be called from a callback's handler.
func (s *Standin[T]) Close() {
	s.Lock()
	s.closed = true
	s.stopTimers()
	s.Unlock()
	s.cancel()
	s.sending.Wait()
	if s.journal != nil {
		_ = s.journal.close() // each line is written already
	}
	if s.ownClient {
		s.HTTPClient.CloseIdleConnections()
	}
}

// Reset forgets payments, rules and counters and drops what is scheduled.
func (s *Standin[T]) Reset() {
	s.Lock()
	defer s.Unlock()
	s.stopTimers()
	s.forgetAll()
	if s.provider.Reset != nil {
		s.provider.Reset()
	}
	s.rewrite()
}
