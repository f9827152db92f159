package simulation

import (
	"container/heap"
	"time"
)

// event is something that will happen.
type event struct {
	at    time.Time
	order int // of those at the same time
	name  string
	run   func()
	dead  bool
	// movable: it may as well happen at any other time.
	movable bool
}

// agenda is a heap of what is to come.
type agenda []*event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].order < a[j].order
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(e any)   { *a = append(*a, e.(*event)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	*a = old[:len(old)-1]
	return e
}

// after puts something on the agenda.
func (w *world) after(d time.Duration, name string, run func()) *event {
	w.order++
	e := &event{at: time.Now().Add(max(d, 0)), order: w.order, name: name, run: run}
	heap.Push(&w.agenda, e)
	return e
}

// anytime puts something on the agenda that may as well happen sooner.
func (w *world) anytime(d time.Duration, name string, run func()) {
	w.after(d, name, run).movable = true
}

// afterFunc is the provider's way onto the agenda.
func (w *world) afterFunc(d time.Duration, f func()) (stop func() bool) {
	return w.timer(d, "provider", f)
}

// timer is time.AfterFunc with Timer.Stop.
func (w *world) timer(d time.Duration, name string, f func()) (stop func() bool) {
	var e *event
	e = w.after(d, name, func() { e.dead = true; f() })
	return func() bool {
		was := !e.dead
		e.dead = true
		return was
	}
}

// next takes the next event due by until off the agenda.
func (w *world) next(until time.Time) *event {
	for {
		w.planTick()
		if len(w.agenda) == 0 || w.agenda[0].at.After(until) {
			return nil
		}
		if e := heap.Pop(&w.agenda).(*event); !e.dead {
			return e
		}
	}
}

// runUntil makes happen what is due until then, and lets the time pass. It
// may end later than that: what happens takes its own time.
func (w *world) runUntil(until time.Time) {
	inner := w.current
	w.current = nil
	for n := 0; !w.halted; n++ {
		if w.depth > 0 && n == 12 {
			break // the rest comes late
		}
		e := w.next(until)
		if e == nil {
			break
		}
		w.sleepTo(e.at)
		if w.depth > 0 {
			w.result.Stats.Nested++
		}
		w.note("event", e.name)
		e.run()
	}
	if !w.halted {
		w.sleepTo(until)
	}
	w.current = inner
}

// sleepTo lets time pass in which nothing happens but contexts ending.
func (w *world) sleepTo(t time.Time) {
	if d := time.Until(t); d > 0 {
		time.Sleep(d)
		w.options.Settle()
	}
}

// pass is a wait for somebody else: the table, the provider, an app. Time may
// pass in it, and then the rest of the world goes on.
func (w *world) pass() {
	if w.depth >= maxDepth {
		return
	}
	if w.chance(w.rates.rush) {
		w.hasten()
	}
	if !w.chance(w.rates.overlap) {
		return
	}
	// Mostly the time of a network call; sometimes longer than any lease.
	d := w.between(0, time.Millisecond)
	switch x := w.rng.Float64(); {
	case x < w.rates.long:
		d = w.between(time.Second, 40*time.Second)
	case x < 0.3:
		d = w.between(0, 3*time.Second)
	case x < 0.6:
		d = w.between(0, 200*time.Millisecond)
	}
	w.waitFor(d)
}

// hasten makes something happen now that was to happen later: that is how the
// unlikely meetings of two functions come about. The time of what payers and
// clocks do is theirs.
func (w *world) hasten() {
	if len(w.agenda) == 0 {
		return
	}
	e := w.agenda[w.rng.IntN(len(w.agenda))]
	if e.dead || !e.movable || w.halted {
		return
	}
	e.dead = true // left where it is
	inner := w.current
	w.current = nil
	w.depth++
	w.result.Stats.Nested++
	w.note("sooner", e.name)
	e.run()
	w.depth--
	w.current = inner
}

// waitFor spends d while the world goes on.
func (w *world) waitFor(d time.Duration) {
	w.depth++
	w.runUntil(time.Now().Add(d))
	w.depth--
}
