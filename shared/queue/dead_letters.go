package queue

import (
	"context"
	"errors"
	"time"
)

// DeadLetter is a message that was received too often.
type DeadLetter struct {
	ID      string
	Receipt string // for DeleteDead; good for this take only
	Body    string
	Group   string
	SentAt  time.Time // when it was first sent
}

// DeadLetters is the operator's side of a queue. Every adapter has it; the
// functions have no use for it. Safe for concurrent use.
type DeadLetters interface {
	// TakeDead returns at most max (1 to 10) dead letters and hides them from
	// other takers for visibility (1 s to 12 h). Nobody ends up with a letter
	// that another holds. None is an empty slice: all have been seen, or an
	// engine that asks only some of its servers found none; ask once more.
	// ErrNoDeadLetters: it is not known where they are kept.
	TakeDead(ctx context.Context, max int, visibility time.Duration) ([]DeadLetter, error)

	// DeleteDead removes dead letters that were taken. A receipt that is no
	// longer good is not an error.
	DeleteDead(ctx context.Context, receipts ...string) error
}

// ErrNoDeadLetters: the queue does not know where its dead letters are kept.
var ErrNoDeadLetters = errors.New("the dead-letter queue is not known")
