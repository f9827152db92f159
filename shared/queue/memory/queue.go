// Package memory is a queue inside one process, for simulations and tests.
// It is deterministic: the same calls at the same times give the same
// messages in the same order, under the same ids.
package memory

import (
	"cmp"
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
	turns    map[string]int      // group to its latest turn
	wake     chan struct{}       // closed and replaced by Send
}

type message struct {
	queue.Message
	number    int
	receives  int // of a dead letter its takes too
	sentAt    time.Time
	visibleAt time.Time
	dead      bool
}

var _ queue.Queue = (*Queue)(nil)

// New returns an empty queue. now must keep the pace of the time package
// while a Receive waits: use time.Now, in a synctest bubble too. A message
// received maxReceives times goes to the dead letters; 0: never.
func New(now func() time.Time, maxReceives int) *Queue {
	return &Queue{
		now: now, maxReceives: maxReceives,
		messages: map[string]*message{}, turns: map[string]int{},
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
		q.messages[fmt.Sprintf("m%d", q.sent)] = &message{
			Message: m, number: q.sent, sentAt: now, visibleAt: now.Add(queue.WholeSeconds(m.Delay)),
		}
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
	next := end
	groups := map[string][]string{}
	for id, m := range q.messages {
		switch {
		case m.dead:
		case m.visibleAt.After(now):
			if m.visibleAt.Before(next) {
				next = m.visibleAt
			}
		case q.spent(m):
			m.dead = true
		default:
			groups[m.Group] = append(groups[m.Group], id)
		}
	}
	for _, id := range q.inTurn(groups, max) {
		m := q.messages[id]
		m.receives++
		m.visibleAt = now.Add(visibility)
		got = append(got, queue.Received{
			ID: id, Receipt: receipt(id, m.receives), Body: m.Body, Group: m.Group, Receives: m.receives,
		})
	}
	return got, next.Sub(now), q.wake
}

// inTurn picks up to max ids, one from each group in rounds, beginning with
// the group whose latest turn is longest ago: a client with a long backlog
// does not delay one with a single message.
func (q *Queue) inTurn(groups map[string][]string, max int) []string {
	var order []string
	for g, ids := range groups {
		order = append(order, g)
		slices.SortFunc(ids, func(a, b string) int {
			x, y := q.messages[a], q.messages[b]
			return cmp.Or(x.visibleAt.Compare(y.visibleAt), cmp.Compare(x.number, y.number))
		})
	}
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(q.turns[a], q.turns[b]), cmp.Compare(q.messages[groups[a][0]].number, q.messages[groups[b][0]].number))
	})
	var picked []string
	for round := 0; ; round++ {
		before := len(picked)
		for _, g := range order {
			if len(picked) == max {
				return picked
			}
			if round < len(groups[g]) {
				q.turn++
				q.turns[g] = q.turn
				picked = append(picked, groups[g][round])
			}
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
