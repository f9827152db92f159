// Package memory is a queue inside one process, for simulations and tests.
// It is deterministic: the same calls at the same times give the same
// messages in the same order, under the same ids.
package memory

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/queue"
)

// Queue implements queue.Queue. Nothing of it outlives the process.
//
// Waits use timers and channels only, so inside a testing/synctest bubble
// they cost no real time; make the Queue inside the bubble.
type Queue struct {
	now         func() time.Time
	maxReceives int

	mu       sync.Mutex
	sent     int                 // numbers the messages
	turn     int                 // numbers the turns groups have had
	messages map[string]*message // by id, dead letters among them
	hidden   line                // delayed or in flight, the soonest visible first
	visible  map[string]*line    // by group, the longest visible first
	turns    map[string]int      // group to its latest turn
	wake     chan struct{}       // closed and replaced by Send
}

type message struct {
	queue.Message
	id        string
	number    int
	deleted   bool // and perhaps still in a line
	receives  int  // of a dead letter its takes too
	sentAt    time.Time
	visibleAt time.Time // fixed while it is in a line
	dead      bool      // and in no line
}

var _ queue.Queue = (*Queue)(nil)

// New returns an empty queue. now must keep the pace of the time package
// while a Receive waits: use time.Now, in a synctest bubble too. A message
// received maxReceives times goes to the dead letters; 0: never.
func New(now func() time.Time, maxReceives int) *Queue {
	return &Queue{
		now: now, maxReceives: maxReceives,
		messages: map[string]*message{}, visible: map[string]*line{}, turns: map[string]int{},
		wake: make(chan struct{}),
	}
}

// Send implements queue.Queue. It enqueues all or nothing.
func (q *Queue) Send(ctx context.Context, messages ...queue.Message) error {
	if err := queue.CheckSend(messages); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, m := range messages {
		q.sent++
		sent := &message{
			Message: m, id: fmt.Sprintf("m%d", q.sent), number: q.sent, sentAt: now, visibleAt: now.Add(queue.WholeSeconds(m.Delay)),
		}
		q.messages[sent.id] = sent
		heap.Push(&q.hidden, sent)
	}
	close(q.wake)
	q.wake = make(chan struct{})
	return nil
}

// Receive implements queue.Queue. Groups take turns; within one the message
// that has been visible longest comes first.
func (q *Queue) Receive(ctx context.Context, max int, visibility, wait time.Duration) ([]queue.Received, error) {
	if err := queue.CheckReceive(max, visibility, wait); err != nil {
		return nil, err
	}
	end := q.now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		got, until, wake := q.take(max, visibility, end)
		if len(got) > 0 || until <= 0 {
			return got, nil
		}
		timer := time.NewTimer(until)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take hands out what is visible now. If nothing is, until tells how long to
// wait for the next message or for end, and wake is closed by the next Send.
func (q *Queue) take(max int, visibility time.Duration, end time.Time) (got []queue.Received, until time.Duration, wake <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.uncover(now)
	for _, m := range q.inTurn(max) {
		m.receives++
		m.visibleAt = now.Add(visibility)
		heap.Push(&q.hidden, m)
		got = append(got, queue.Received{
			ID: m.id, Receipt: receipt(m.id, m.receives), Body: m.Body, Group: m.Group, Receives: m.receives,
		})
	}
	next := end
	if len(q.hidden) > 0 && q.hidden[0].visibleAt.Before(next) {
		next = q.hidden[0].visibleAt
	}
	return got, next.Sub(now), q.wake
}

// uncover brings what is visible by now from the hidden to its group's line,
// or to the dead letters.
func (q *Queue) uncover(now time.Time) {
	for len(q.hidden) > 0 && (q.hidden[0].deleted || !q.hidden[0].visibleAt.After(now)) {
		m := heap.Pop(&q.hidden).(*message)
		switch {
		case m.deleted:
		case q.spent(m):
			m.dead = true
		default:
			if q.visible[m.Group] == nil {
				q.visible[m.Group] = &line{}
			}
			heap.Push(q.visible[m.Group], m)
		}
	}
}

// inTurn takes up to max messages, one from each group in rounds, beginning
// with the group whose latest turn is longest ago: a client with a long
// backlog does not delay one with a single message.
func (q *Queue) inTurn(max int) []*message {
	var order []string
	for g, l := range q.visible {
		if l.trim(); len(*l) == 0 {
			delete(q.visible, g)
			continue
		}
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(q.turns[a], q.turns[b]), cmp.Compare((*q.visible[a])[0].number, (*q.visible[b])[0].number))
	})
	var picked []*message
	for {
		before := len(picked)
		for _, g := range order {
			l := q.visible[g]
			if l.trim(); len(*l) == 0 {
				continue
			}
			if len(picked) == max {
				return picked
			}
			q.turn++
			q.turns[g] = q.turn
			picked = append(picked, heap.Pop(l).(*message))
		}
		if len(picked) == before {
			return picked
		}
	}
}

func (q *Queue) spent(m *message) bool {
	return q.maxReceives > 0 && m.receives >= q.maxReceives
}

func receipt(id string, receives int) string { return fmt.Sprintf("%s.%d", id, receives) }

// Delete implements queue.Queue.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range receipts {
		// A receipt names the receive it came from: an older one no longer fits.
		id, _, _ := strings.Cut(r, ".")
		if m, ok := q.messages[id]; ok && !m.dead && m.receives > 0 && r == receipt(id, m.receives) {
			m.deleted = true
			delete(q.messages, id)
		}
	}
	return nil
}

// Depth implements queue.Queue. It is exact.
func (q *Queue) Depth(ctx context.Context) (waiting, dead int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, fmt.Errorf("depth: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, m := range q.messages {
		if m.dead || q.spent(m) && !m.visibleAt.After(now) {
			dead++
		} else {
			waiting++
		}
	}
	return waiting, dead, nil
}
