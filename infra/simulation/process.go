package simulation

import (
	"container/heap"
	"runtime"
	"slices"
	"time"
)

// process is something that goes on in the world: an app's request, a timer,
// a function, one of the tasks that a function runs side by side. Each is on a
// goroutine, and one of them runs at a time. Where it waits, suspend picks who
// goes on. So any process may be suspended while others run to their end, and
// the seed alone decides.
type process struct {
	name        string
	inv         *invocation   // the run of a function that it is part of; nil: none
	turn        chan struct{} // receives when it goes on
	wake        *event        // when it goes on by itself; nil: when another wakes it
	join        *process      // waits for it to end
	begun, done bool
	// lie is what was wrong in the latest status answer it got, about the
	// payment named.
	lie   string
	about string
}

// maxHastened bounds how many processes there may be when one more is made to
// start early, or they would start each other without end.
const maxHastened = 12

// enter makes p the process that runs.
func (w *world) enter(p *process) {
	w.running, w.current = p, p.inv
}

// suspend has others go on until it is the caller's turn again: when the event
// that wakes it is due.
func (w *world) suspend() {
	p := w.running
	w.suspended = append(w.suspended, p)
	if e := w.pick(); e.wakes != p {
		w.handOver(e)
		<-p.turn
	}
	i := slices.Index(w.suspended, p)
	w.suspended = slices.Delete(w.suspended, i, i+1)
	p.wake = nil
	w.enter(p)
}

// pick is what happens next, and lets the time until then pass. When the run
// has come to its end every process goes on, in order to end; the root last.
func (w *world) pick() *event {
	if w.halted {
		for _, p := range w.suspended {
			if p != w.root {
				// Who waits for another goes behind it.
				i := slices.Index(w.suspended, p)
				w.suspended = append(slices.Delete(w.suspended, i, i+1), p)
				return &event{wakes: p}
			}
		}
		return &event{wakes: w.root}
	}
	var early []*event
	e := w.next()
	for e != nil && w.options.Nested && e.wakes != nil && e.wakes != w.suspended[len(w.suspended)-1] {
		e.dead = false
		early = append(early, e)
		e = w.next()
	}
	for _, e := range early {
		heap.Push(&w.agenda, e)
	}
	if e == nil { // the root always has a time
		panic("simulation: nothing can go on")
	}
	w.sleepTo(e.at)
	return e
}

// begin has e happen on a goroutine of its own. One that has run before is
// taken if there is one: its stack has grown already.
func (w *world) begin(e *event) {
	if n := len(w.idle); n > 0 {
		events := w.idle[n-1]
		w.idle = w.idle[:n-1]
		events <- e
		return
	}
	events := make(chan *event, 1)
	events <- e
	go w.work(events)
}

// work runs events, until the one that is next is that another process goes
// on. Then it waits for more.
func (w *world) work(events chan *event) {
	ended := false
	defer func() {
		if !ended { // runtime.Goexit: see die
			w.finish(w.running)
			w.handOver(w.pick())
		}
	}()
	for e := range events {
		for e.wakes == nil {
			w.enterNew(e)
			e.run()
			w.finish(w.running)
			e = w.pick()
		}
		w.idle = append(w.idle, events)
		e.wakes.turn <- struct{}{}
	}
	ended = true
}

// handOver has another process go on, or something new happen.
func (w *world) handOver(e *event) {
	if e.wakes != nil {
		e.wakes.turn <- struct{}{}
	} else {
		w.begin(e)
	}
}

// enterNew makes the process of an event the one that runs.
func (w *world) enterNew(e *event) {
	w.going++
	p := e.process
	if p == nil {
		p = &process{turn: make(chan struct{}, 1)}
	}
	p.begun = true
	w.enter(p)
	if e.name != "" {
		w.note("event", e.name)
	}
}

func (w *world) finish(p *process) {
	w.going--
	p.done = true
	if p.join != nil {
		w.wake(p.join)
	}
}

// spawn makes a process of the caller's function, or of none, that runs f. It
// begins when the caller next waits.
func (w *world) spawn(inv *invocation, name string, f func()) *process {
	p := &process{name: name, inv: inv, turn: make(chan struct{}, 1)}
	w.after(0, "", f).process = p
	return p
}

// await returns when p has ended, or will never begin.
func (w *world) await(p *process) {
	for !p.done && (p.begun || !w.halted) {
		p.join = w.running
		w.suspend()
	}
}

// wake has a suspended process go on now.
func (w *world) wake(p *process) {
	if p.wake != nil {
		if !p.wake.at.After(time.Now()) {
			return
		}
		p.wake.dead = true
	}
	p.wake = w.after(0, "", nil)
	p.wake.wakes = p
}

// waitFor spends d while the world goes on.
func (w *world) waitFor(d time.Duration) {
	until := time.Now().Add(max(d, 0))
	if w.halted {
		return
	}
	if w.nothingBy(until) {
		w.sleepTo(until)
		return
	}
	w.result.Stats.Switches++
	p := w.running
	p.wake = w.after(d, "", nil)
	p.wake.wakes = p
	w.suspend()
}

// pass is a wait for somebody else: the table, the provider, an app. Others
// may go on in it.
func (w *world) pass() {
	if w.chance(w.rates.rush) {
		w.hasten()
	}
	if w.chance(w.rates.yield) {
		w.waitFor(0)
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
	among := len(w.agenda)
	if w.chance(0.7) { // what is to come soon more often has to do with what goes on
		among = min(among, 8)
	}
	e := w.agenda[w.rng.IntN(among)]
	if e.dead || !e.movable || w.halted || w.going >= maxHastened {
		return
	}
	e.dead = true // left where it is
	w.note("sooner", e.name)
	w.after(0, e.name, e.run)
	w.waitFor(0)
}

// die ends the process that runs, without any way for it to notice.
func (w *world) die() { runtime.Goexit() }
