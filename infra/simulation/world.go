// Package simulation runs the whole system in one process under virtual time
// and one seeded source of chance: the real handlers, use cases, ledger,
// provider adapters and forwarder, over an in-memory table, against the
// providers' stand-ins. Everything around them goes wrong on purpose. While it
// runs and when it has come to rest, what must always hold is checked against
// the providers' own books.
//
// A run uses one goroutine at a time, so that its seed replays it exactly.
// Wherever a function waits for the table, the provider, the queue, an app or
// the clock, it may be suspended and others go on (see process).
package simulation

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

const (
	// maxCalls bounds the calls of one run: more is a system that does not
	// come to rest.
	maxCalls = 300_000
	// atRest is how long the world goes on when the faults have stopped:
	// past the last check a payment can get.
	atRest = 8*24*time.Hour + 6*time.Hour
	// restsAfter is when nothing but probes may be left.
	restsAfter = 3*24*time.Hour + 6*time.Hour
)

// Options of a run.
type Options struct {
	Seed uint64
	// Trace keeps the whole trace; without it there is only its hash.
	Trace bool
	// Settle waits until nothing else runs at this moment of virtual time:
	// synctest.Wait.
	Settle func()
	// Nested has whatever begins while a process is suspended end before that
	// process goes on. It shows what free interleavings find beyond that.
	Nested bool
	// Payments and Apps, if not zero, are the most there may be, and Without
	// are the kinds of faults to leave out: see Shrink.
	Payments, Apps int
	Without        []string
	// Only looks at one invariant alone; empty: at all.
	Only Invariant
}

// Result is what a run came to.
type Result struct {
	Seed       uint64
	Violations []Violation
	Hash       uint64   // of everything that happened, in order
	Trace      []string // with Options.Trace
	Stats      Stats
}

// Stats say what a run was made of, so that a simulation which has stopped
// exercising something is noticed.
type Stats struct {
	Payments, Successful, Failed, Timeouts, Cancelled, Held int
	Corrected, Kills, Calls, Switches, Lost                 int
	Forged, Deliveries, Exhausted, Refused, Conflicts       int
	Rotations, KeyRotations, OldSigned, SlowBodies          int
	Opened, Disabled, Enabled, Resent, Listed, Probes       int
	Factura, Moment, Webhooks, Invoices, Natives            int
	Unanswerable, Settled, Unsent, Collisions, Timers       int
	Moved, Refunds, Refunded, RefundsFailed, RefundsSettled int
}

// Violation is something that must never be.
type Violation struct {
	Invariant Invariant
	At        time.Time
	What      string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s (at %s)", v.Invariant, v.What, v.At.UTC().Format("02T15:04:05.000"))
}

// world is one run.
type world struct {
	options Options
	rng     *rand.Rand
	rates   rates
	start   time.Time
	calm    bool // the faults have stopped
	// refunding: apps ask for refunds.
	refunding bool

	agenda agenda
	order  int
	tick   *event // the next scheduled reconcile run
	stale  bool   // what is due may have changed since tick was planned

	store     *store
	oracle    *ledger.Ledger // reads the store without faults
	pools     map[role][]*instance
	root      *process // Run itself
	running   *process
	current   *invocation   // that running is part of; nil: none
	suspended []*process    // who waits, the longest first
	idle      []chan *event // goroutines that wait for something to happen
	going     int           // processes that have begun and not ended
	platforms []*platform   // of MTN's, the newest last
	factura   factura
	moment    moment
	parties   []*party // these two, in this order
	apps      []*app
	oneHost   bool                      // all apps live on one platform, behind one origin
	lagging   map[string][]table.Record // what an index said before
	hangUntil time.Time                 // no write of a payment comes back before

	books  books
	trace  trace
	result Result
	halted bool
}

// Run lives one world through. It must be called inside a synctest bubble:
// its clock is the time package's.
func Run(o Options) Result {
	w := &world{
		options: o, rng: rand.New(rand.NewPCG(o.Seed, 0x6d6f6d6f)), start: time.Now(),
		pools: map[role][]*instance{}, store: newStore(), lagging: map[string][]table.Record{},
		books: newBooks(),
	}
	w.trace = newTrace(o.Trace, w.start)
	w.result.Seed = o.Seed
	w.root = &process{turn: make(chan struct{}, 1)}
	w.enter(w.root)
	w.rates = drawRates(w.rng)
	w.rates.without(o.Without)
	w.books.skew, w.refunding = w.rates.skew, w.rates.refunds > 0
	w.build()
	w.populate()
	w.live()
	for _, events := range w.idle {
		close(events)
	}
	w.checkRest()
	for _, at := range w.platforms {
		at.standin.Close()
	}
	for _, p := range w.parties {
		p.stand.Close()
	}
	w.result.Hash, w.result.Trace = w.trace.sum(), w.trace.lines
	return w.result
}

// live runs the world: first with faults, then without until it is at rest.
func (w *world) live() {
	faultsEnd := w.start.Add(w.rates.span)
	w.waitFor(time.Until(faultsEnd))
	if !w.halted {
		w.calmDown()
	}
	for day := restsAfter; day <= atRest && !w.halted; day += 24 * time.Hour {
		w.waitFor(time.Until(faultsEnd.Add(day)))
		if len(w.store.dueAt) == 0 {
			break // what is left are probes of endpoints that are dead for good
		}
	}
	// What is under way comes to its end.
	for range 10 {
		if w.going > 0 {
			w.waitFor(time.Minute)
		}
	}
	if w.going > 0 && !w.halted {
		w.violate(Rest, "%d functions never end", w.going)
	}
	for w.halted && len(w.suspended) > 0 {
		w.suspend()
	}
}

// calmDown stops every fault. What they have left behind stays.
func (w *world) calmDown() {
	w.note("world", "calm")
	w.calm = true
	w.books.calmAt = time.Now()
	span := w.rates.span
	w.rates = rates{span: span, mtn: w.rates.mtn, factura: w.rates.factura}
	for _, pool := range w.pools {
		for _, i := range pool {
			i.skew = 0
		}
	}
	for _, a := range w.apps {
		a.recover()
	}
	// Whatever was left behind, the system must take payments again.
	for _, a := range w.apps {
		w.after(11*time.Minute+w.between(0, time.Minute), "probe", func() { w.probe(a) })
		w.after(50*time.Hour+w.between(0, time.Minute), "probe again", func() { w.probeAgain(a) })
	}
	w.planNeighbour()
	w.planGreedy()
	w.planRush()
	for _, a := range w.apps {
		w.after(26*time.Hour+w.between(0, time.Minute), "list", func() { w.list(a, "") })
		w.after(27*time.Hour+w.between(0, time.Minute), "list events", func() { w.checkListed(a) })
		if w.refunding && a == w.apps[0] {
			w.after(28*time.Hour+w.between(0, time.Minute), "refund", func() { w.probeRefund(a) })
		}
	}
	w.after(30*time.Minute+w.between(0, time.Minute), "operator", w.enableMended)
	for day := range 8 {
		w.after(time.Duration(day)*24*time.Hour+40*time.Minute+w.between(0, time.Minute), "operator", w.settleAll)
	}
	w.planNeverTaken()
}

// violate notes that an invariant does not hold and brings the run to its
// end.
func (w *world) violate(i Invariant, format string, args ...any) {
	if w.options.Only != "" && w.options.Only != i {
		return
	}
	v := Violation{Invariant: i, At: time.Now(), What: fmt.Sprintf(format, args...)}
	w.note("VIOLATION", v.String())
	w.halted = true
	if len(w.result.Violations) < 5 {
		w.result.Violations = append(w.result.Violations, v)
	}
}

// chance is true with probability p. It draws only when it matters, so that
// a seed without a kind of fault does not depend on it.
func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between draws a duration, to the nanosecond so that no two moments fall
// together.
func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rng.Int64N(int64(high-low)+1))
}

func pick[T any](w *world, from ...T) T { return from[w.rng.IntN(len(from))] }

// bytes is the system's source of randomness.
type bytesOf struct{ rng *rand.Rand }

var _ io.Reader = bytesOf{}

func (r bytesOf) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.rng.Uint32())
	}
	return len(p), nil
}

func (w *world) log() *slog.Logger { return slog.New(logHandler{w: w}) }

// Add sums up.
func (s *Stats) Add(o Stats) {
	to, from := reflect.ValueOf(s).Elem(), reflect.ValueOf(o)
	for i := range to.NumField() {
		to.Field(i).SetInt(to.Field(i).Int() + from.Field(i).Int())
	}
}
