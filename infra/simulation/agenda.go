package simulation

import (
	"container/heap"
	"time"
)

// event is something that will happen: something new, or a process goes on.
type event struct {
	at    time.Time
	order int // of those at the same time
	name  string
	run   func()
	wakes *process
	// process is what run is to be; nil: a new one.
	process *process
	dead    bool
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
	e := w.after(d, "provider", f)
	return func() bool {
		was := !e.dead
		e.dead = true
		return was
	}
}

// next takes the next event off the agenda; nil: there is none.
func (w *world) next() *event {
	for {
		w.planTick()
		if len(w.agenda) == 0 {
			return nil
		}
		if e := heap.Pop(&w.agenda).(*event); !e.dead {
			e.dead = true // it has happened
			return e
		}
	}
}

// nothingBy says whether nothing is to happen until t.
func (w *world) nothingBy(t time.Time) bool {
	for {
		w.planTick()
		if len(w.agenda) == 0 {
			return true
		}
		if e := w.agenda[0]; !e.dead {
			return e.at.After(t)
		}
		heap.Pop(&w.agenda)
	}
}

// sleepTo lets time pass in which nothing happens but contexts ending.
func (w *world) sleepTo(t time.Time) {
	if d := time.Until(t); d > 0 {
		time.Sleep(d)
		w.options.Settle()
	}
}
