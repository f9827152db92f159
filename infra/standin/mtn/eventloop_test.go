package mtn_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"momoproxy/infra/standin/core"
	"momoproxy/infra/standin/mtn"
)

// loop is a simulation's clock: nothing happens until it is run, and then in
// order, on the caller's goroutine.
type loop struct {
	now   time.Time
	queue []*due
}

type due struct {
	at   time.Time
	f    func()
	dead bool
}

func (l *loop) after(d time.Duration, f func()) func() bool {
	e := &due{at: l.now.Add(d), f: f}
	l.queue = append(l.queue, e)
	return func() bool { was := !e.dead; e.dead = true; return was }
}

func (l *loop) run(until time.Time) {
	for {
		slices.SortStableFunc(l.queue, func(a, b *due) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
		if len(l.queue) == 0 || l.queue[0].at.After(until) {
			l.now = until
			return
		}
		next := l.queue[0]
		l.queue = l.queue[1:]
		if l.now = next.at; !next.dead {
			next.f()
		}
	}
}

// With an event loop and a seed a run is repeated to the byte, callbacks
// included, without one goroutine.
func TestEventLoop(t *testing.T) {
	t.Parallel()
	books := func(seed uint64) []core.Entry {
		l := &loop{now: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}
		w := newWorld(t, mtn.Options{Options: core.Options{Seed: seed, Now: func() time.Time { return l.now }, AfterFunc: l.after, InstantTimeouts: true,
			CallbackRetries: []time.Duration{time.Minute}}})
		defer w.Close()
		w.inbox.code = 503
		w.mustPay(refA, mtn.Payer("callback_double"))
		w.mustPay(refB, ordinary)
		l.run(l.now.Add(time.Hour))
		return w.Ledger()
	}
	one, again, other := books(7), books(7), books(8)
	if diff := gocmp.Diff(one, again); diff != "" {
		t.Errorf("same seed, another run (-first +second)\n%s", diff)
	}
	if one[0].IDs["financialTransactionId"] == other[0].IDs["financialTransactionId"] {
		t.Error("another seed, the same ids")
	}
	if n := len(one[0].Callbacks); n != 4 {
		t.Errorf("%d callbacks, want two of two tries", n)
	}
}
