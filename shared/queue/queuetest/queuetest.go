// Package queuetest judges every adapter of queue.Queue by the port's own
// sentences. A change of the port changes this suite first.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/queue"
)

// Options are what a test asks of a new queue.
type Options struct {
	// MaxReceives is when a message goes to the dead letters.
	MaxReceives int
}

// Harness gives the suite its queues.
type Harness struct {
	// Open returns an empty queue that no other test uses. It cleans up
	// after itself with t.Cleanup.
	Open func(t *testing.T, o Options) queue.Queue

	// Around runs one test. Adapters on a virtual clock pass
	//
	//	func(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }
	//
	// If nil, tests run as they are, in parallel, and those that need
	// minutes of the clock are left out.
	Around func(t *testing.T, f func(t *testing.T))

	// Advance passes time; set exactly when Around is. In a bubble it is
	// time.Sleep. On a real clock the suite waits by receiving.
	Advance func(d time.Duration)

	// TakesTurns: the adapter itself lets groups take turns, which the suite
	// then demands. SQS does so too, but test engines do not.
	TakesTurns bool

	// OldReceiptsDelete: the engine lets an older receipt delete a message
	// that went to somebody else since, as SQS itself may. The suite then
	// demands only that it is not an error.
	OldReceiptsDelete bool
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		max  int // MaxReceives
		test func(s *suite)
	}{
		{"what is sent is received once and deleted", 5, (*suite).roundTrip},
		{"every allowed body and group is kept", 5, (*suite).keepsContent},
		{"many messages are sent in one call", 5, (*suite).sendMany},
		{"a receive gives at most max", 5, (*suite).receiveMax},
		{"a delayed message is hidden first", 5, (*suite).delay},
		{"a fraction of a second of delay is rounded up", 5, (*suite).delayFraction},
		{"a message returns when its visibility ends", 9, (*suite).visibility},
		{"a deleted message does not return", 5, (*suite).deleted},
		{"an older receipt is harmless", 9, (*suite).oldReceipt},
		{"a late receipt still deletes", 9, (*suite).lateReceipt},
		{"deleting what is gone or unknown is no error", 5, (*suite).deleteGone},
		{"many receipts are deleted in one call", 5, (*suite).deleteMany},
		{"dead letters after MaxReceives", 2, (*suite).deadLetters},
		{"dead letters are taken by one and deleted", 1, (*suite).takeDead},
		{"depth counts visible, delayed and in flight", 5, (*suite).depth},
		{"groups take turns", 5, (*suite).turns},
		{"requests outside the limits are refused whole", 5, (*suite).invalid},
		{"concurrent consumers never both own a message", 5, (*suite).concurrent},
		{"a wait ends empty", 5, (*suite).waitEnds},
		{"a wait ends with the first message", 5, (*suite).waitWakes},
		{"the context ends a wait", 5, (*suite).contextEnds},
		{"an ended context does nothing", 5, (*suite).contextEnded},
		{"the longest delay and visibility are kept", 5, (*suite).longest},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			around := h.Around
			if around == nil {
				t.Parallel()
				around = func(t *testing.T, f func(*testing.T)) { f(t) }
			}
			around(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if h.Advance != nil {
					ctx, cancel = context.WithCancel(t.Context())
				}
				defer cancel()
				c.test(&suite{T: t, h: h, ctx: ctx, q: h.Open(t, Options{MaxReceives: c.max})})
			})
		})
	}
}

// patience bounds one test on a real clock.
const patience = 60 * time.Second

type suite struct {
	*testing.T
	h   Harness
	ctx context.Context
	q   queue.Queue
}

func (s *suite) send(messages ...queue.Message) {
	s.Helper()
	if err := s.q.Send(s.ctx, messages...); err != nil {
		s.Fatalf("Send: %v", err)
	}
}

func (s *suite) receive(max int, visibility, wait time.Duration) []queue.Received {
	s.Helper()
	got, err := s.q.Receive(s.ctx, max, visibility, wait)
	if err != nil {
		s.Fatalf("Receive: %v", err)
	}
	if len(got) > max {
		s.Fatalf("Receive gave %d messages, asked for %d", len(got), max)
	}
	for _, r := range got {
		if r.ID == "" || r.Receipt == "" || r.Receives < 1 {
			s.Fatalf("Receive gave %+v", r)
		}
	}
	return got
}

// receiveOne waits for one message, up to the port's longest wait.
func (s *suite) receiveOne(visibility time.Duration) queue.Received {
	s.Helper()
	got := s.receive(1, visibility, queue.MaxWait)
	if len(got) != 1 {
		s.Fatal("no message came")
	}
	return got[0]
}

// receiveAll collects n messages, in as many receives as it takes.
func (s *suite) receiveAll(n int, visibility time.Duration) []queue.Received {
	s.Helper()
	var all []queue.Received
	for len(all) < n {
		got := s.receive(queue.MaxReceive, visibility, queue.MaxWait)
		if len(got) == 0 {
			s.Fatalf("%d messages came, want %d", len(all), n)
		}
		all = append(all, got...)
	}
	return all
}

func (s *suite) empty(why string) {
	s.Helper()
	if got := s.receive(queue.MaxReceive, queue.MaxVisibility, 0); len(got) != 0 {
		s.Fatalf("%s: received %+v", why, got)
	}
}

func (s *suite) delete(receipts ...string) {
	s.Helper()
	if err := s.q.Delete(s.ctx, receipts...); err != nil {
		s.Fatalf("Delete: %v", err)
	}
}

// wantDepth waits for the depth: it may lag.
func (s *suite) wantDepth(waiting, dead int) {
	s.Helper()
	for {
		w, d, err := s.q.Depth(s.ctx)
		if err != nil {
			s.Fatalf("Depth: %v (want %d waiting, %d dead)", err, waiting, dead)
		}
		if w == waiting && d == dead {
			return
		}
		if s.h.Advance != nil {
			s.Fatalf("Depth = %d waiting, %d dead; want %d, %d", w, d, waiting, dead)
		}
		select {
		case <-s.ctx.Done():
			s.Fatalf("Depth = %d waiting, %d dead; want %d, %d", w, d, waiting, dead)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func bodies(all []queue.Received) []string {
	var b []string
	for _, r := range all {
		b = append(b, r.Body)
	}
	slices.Sort(b)
	return b
}

func receipts(all []queue.Received) []string {
	var b []string
	for _, r := range all {
		b = append(b, r.Receipt)
	}
	return b
}

// numbered makes n messages with bodies that sort in their order.
func numbered(n int, group string) (messages []queue.Message, bodies []string) {
	for i := range n {
		messages = append(messages, queue.Message{Body: fmt.Sprintf("%s%03d", group, i), Group: group})
		bodies = append(bodies, messages[i].Body)
	}
	return messages, bodies
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
