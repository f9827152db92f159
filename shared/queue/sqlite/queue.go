// Package sqlite is a queue in a sqlitefile.File, for one machine. Messages,
// dead letters among them, are rows that an operator can read (view
// queue_overview), and outlive the process.
package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/queue"
	"momoproxy/shared/sqlitefile"
)

// Options tell queues of one file apart and tune them.
type Options struct {
	// Name of the queue within the file; empty: "main".
	Name string
	// MaxReceives is how often a message is given out before it goes to the
	// dead letters; 0: never.
	MaxReceives int
	// Poll is how often a waiting Receive looks for messages that another
	// process sent, or whose time has come; 0: 200 ms. Those sent through
	// the same Queue are seen at once.
	Poll time.Duration
	// Now is the clock; nil: time.Now. Processes on one file share the
	// machine's clock.
	Now func() time.Time
}

// Queue implements queue.Queue. Several Queues, in one process or in
// several, may work on one file.
type Queue struct {
	file *sqlitefile.File
	o    Options
	mu   sync.Mutex
	wake chan struct{} // closed and replaced by Send
}

var _ queue.Queue = (*Queue)(nil)

// New returns the queue of that name, making its tables if they are not
// there. The caller keeps the file, which a table may share, and closes it.
func New(file *sqlitefile.File, o Options) (*Queue, error) {
	if o.Name == "" {
		o.Name = "main"
	}
	if o.Poll <= 0 {
		o.Poll = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxReceives < 0 {
		return nil, errors.New("sqlite queue: MaxReceives is negative")
	}
	err := file.Write(context.Background(), func(c sqlitefile.Conn) error {
		_, err := c.Exec(schema)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite queue: create its tables: %w", err)
	}
	return &Queue{file: file, o: o, wake: make(chan struct{})}, nil
}

// Send implements queue.Queue. It enqueues all or nothing: on an error other
// than the context's and the commit's own, nothing.
func (q *Queue) Send(ctx context.Context, messages ...queue.Message) error {
	if err := queue.CheckSend(messages); err != nil {
		return err
	}
	if len(messages) == 0 {
		return ctx.Err()
	}
	now := q.o.Now()
	err := q.file.Write(ctx, func(c sqlitefile.Conn) error {
		for _, m := range messages {
			visible := now.UnixMilli()
			if m.Delay > 0 {
				visible = milliseconds(now.Add(queue.WholeSeconds(m.Delay)))
			}
			_, err := c.Exec(
				`INSERT INTO queue_messages (queue, id, body, group_name, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?)`,
				q.o.Name, rand.Text(), m.Body, m.Group, now.UnixMilli(), visible)
			if err != nil {
				return err
			}
			_, err = c.Exec(
				`INSERT INTO queue_groups (queue, group_name) VALUES (?, ?) ON CONFLICT DO NOTHING`, q.o.Name, m.Group)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return q.failed(ctx, "send", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.wake)
	q.wake = make(chan struct{})
	return nil
}

// milliseconds rounds up, so that nothing is visible early.
func milliseconds(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// Receive implements queue.Queue. Groups take turns; within one the message
// that has been visible longest comes first.
func (q *Queue) Receive(ctx context.Context, max int, visibility, wait time.Duration) ([]queue.Received, error) {
	if err := queue.CheckReceive(max, visibility, wait); err != nil {
		return nil, err
	}
	end := time.NewTimer(wait)
	defer end.Stop()
	poll := time.NewTicker(q.o.Poll)
	defer poll.Stop()
	for last := wait == 0; ; {
		// Taken before looking, so that no Send falls between.
		q.mu.Lock()
		wake := q.wake
		q.mu.Unlock()
		got, err := q.take(ctx, max, visibility)
		if err != nil {
			return nil, q.failed(ctx, "receive", err)
		}
		if len(got) > 0 || last {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("sqlite queue: receive: %w", ctx.Err())
		case <-wake:
		case <-poll.C:
		case <-end.C:
			last = true
		}
	}
}

// Delete implements queue.Queue.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if len(receipts) == 0 {
		return ctx.Err()
	}
	err := q.file.Write(ctx, func(c sqlitefile.Conn) error {
		for _, r := range receipts {
			id, receives, ok := strings.Cut(r, ".")
			if !ok {
				continue
			}
			// A receipt names the receive it came from: an older one no
			// longer fits.
			_, err := c.Exec(
				`DELETE FROM queue_messages
				WHERE queue = ? AND id = ? AND receives > 0 AND CAST(receives AS TEXT) = ? AND dead_at IS NULL`,
				q.o.Name, id, receives)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return q.failed(ctx, "delete", err)
}

// Depth implements queue.Queue. It is exact.
func (q *Queue) Depth(ctx context.Context) (waiting, dead int, err error) {
	// A spent message becomes a dead letter at the next Receive, but is one
	// for a reader as soon as its last visibility has ended.
	err = q.file.Read(ctx, func(c sqlitefile.Conn) error {
		return c.QueryRow(`SELECT count(*) - ifnull(sum(dead), 0), ifnull(sum(dead), 0) FROM (
			SELECT dead_at IS NOT NULL OR ?1 > 0 AND receives >= ?1 AND visible_at <= ?2 AS dead
			FROM queue_messages WHERE queue = ?3)`,
			[]any{q.o.MaxReceives, q.o.Now().UnixMilli(), q.o.Name}, &waiting, &dead)
	})
	return waiting, dead, q.failed(ctx, "depth", err)
}

// failed names the call that failed. An interrupted statement has an error
// of its own; callers look for the context's.
func (q *Queue) failed(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("sqlite queue: %s: %w: %v", call, cause, err)
	}
	return fmt.Errorf("sqlite queue: %s: %w", call, err)
}
