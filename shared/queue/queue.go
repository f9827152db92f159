// Package queue is the port to the doorbell: short messages of ids that may
// be lost, repeated, late or out of order. Nothing depends on a message; the
// table says what is due. Adapters: queue/sqs, queue/sqlite and queue/memory,
// all judged by queue/queuetest.
package queue

import (
	"context"
	"errors"
	"time"
)

// MaxDelay is the longest Message.Delay (SQS's own limit).
const MaxDelay = 15 * time.Minute

// Message is what is sent.
type Message struct {
	// Body is valid UTF-8, 1 byte to 16 KiB: ids, never payment data. Of the
	// control characters only tab and line ends, as in SQS.
	Body string
	// Group keeps one client's messages from delaying another's (SQS fair
	// queues' MessageGroupId). It promises no order. At most 128 characters
	// of A-Z a-z 0-9 and punctuation; empty: none.
	Group string
	// Delay hides the message at first; 0 to MaxDelay, whole seconds are
	// what every adapter keeps (a fraction is rounded up).
	Delay time.Duration
}

// Received is one message taken from the queue. It belongs to the receiver
// until its visibility ends; then it is given out again, or moved to the
// dead letters when it has been received MaxReceives times.
type Received struct {
	ID       string // stable over redeliveries of the same message
	Receipt  string // for Delete; good for this receive only
	Body     string
	Group    string
	Receives int // 1 on the first receive
}

// Queue is the port. All methods are safe for concurrent use.
type Queue interface {
	// Send enqueues all messages durably, in batches as the engine needs.
	// On an error some may have been enqueued and some not: sending is a
	// hint, so callers may go on. ErrInvalid: nothing was sent.
	Send(ctx context.Context, messages ...Message) error

	// Receive returns at most max (1 to 10) visible messages and hides them
	// for visibility (1 s to 12 h). It waits up to wait (0 to 20 s) for the
	// first one; none is an empty slice, not an error. The ctx ends the wait
	// with its own error.
	Receive(ctx context.Context, max int, visibility, wait time.Duration) ([]Received, error)

	// Delete removes received messages. A receipt that is no longer good is
	// not an error: the message may already have gone to another receiver.
	Delete(ctx context.Context, receipts ...string) error

	// Depth estimates the messages waiting (visible, delayed or in flight)
	// and those among the dead letters. It may lag. Used for health.
	Depth(ctx context.Context) (waiting, dead int, err error)
}

// ErrInvalid reports a request outside the limits above.
var ErrInvalid = errors.New("invalid queue request")
