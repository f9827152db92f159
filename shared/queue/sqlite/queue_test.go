package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/queue"
	"momoproxy/shared/queue/queuetest"
	"momoproxy/shared/queue/sqlite"
	"momoproxy/shared/sqlitefile"
)

// open opens the file as a process of its own would.
func open(t testing.TB, path string) *sqlitefile.File {
	t.Helper()
	file, err := sqlitefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return file
}

func newQueue(t testing.TB, file *sqlitefile.File, o sqlite.Options) *sqlite.Queue {
	t.Helper()
	q, err := sqlite.New(file, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestContract(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, queuetest.Harness{
		Open: func(t *testing.T, o queuetest.Options) queue.Queue {
			return newQueue(t, open(t, filepath.Join(t.TempDir(), "q.db")), sqlite.Options{MaxReceives: o.MaxReceives})
		},
		Around:     synctest.Test,
		Advance:    time.Sleep,
		TakesTurns: true,
	})
}

// TestTwoProcesses runs the suite on one file that is open twice.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, queuetest.Harness{
		Open: func(t *testing.T, o queuetest.Options) queue.Queue {
			file := filepath.Join(t.TempDir(), "q.db")
			options := sqlite.Options{MaxReceives: o.MaxReceives, Poll: 50 * time.Millisecond}
			return &alternate{queues: []queue.Queue{
				newQueue(t, open(t, file), options), newQueue(t, open(t, file), options),
			}}
		},
		Around:     synctest.Test,
		Advance:    time.Sleep,
		TakesTurns: true,
	})
}

// alternate gives each call to the next of its queues.
type alternate struct {
	queues []queue.Queue
	calls  atomic.Int64
}

func (a *alternate) next() queue.Queue {
	return a.queues[int(a.calls.Add(1))%len(a.queues)]
}

func (a *alternate) Send(ctx context.Context, messages ...queue.Message) error {
	return a.next().Send(ctx, messages...)
}

func (a *alternate) Receive(ctx context.Context, max int, visibility, wait time.Duration) ([]queue.Received, error) {
	return a.next().Receive(ctx, max, visibility, wait)
}

func (a *alternate) Delete(ctx context.Context, receipts ...string) error {
	return a.next().Delete(ctx, receipts...)
}

func (a *alternate) Depth(ctx context.Context) (waiting, dead int, err error) {
	return a.next().Depth(ctx)
}

// TestSendWakes: a waiting Receive does not wait for the next poll, not even in
// memory, where there is a single connection.
func TestSendWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, open(t, ":memory:"), sqlite.Options{Poll: time.Hour})
		got := make(chan []queue.Received)
		go func() {
			r, err := q.Receive(t.Context(), 1, time.Minute, queue.MaxWait)
			if err != nil {
				t.Error(err)
			}
			got <- r
		}()
		synctest.Wait() // until the Receive waits
		start := time.Now()
		if err := q.Send(t.Context(), queue.Message{Body: "x"}); err != nil {
			t.Fatal(err)
		}
		if r := <-got; len(r) != 1 || time.Since(start) > time.Second {
			t.Errorf("received %v after %v", r, time.Since(start))
		}
	})
}

// TestOutlivesTheProcess: everything is there for the next one.
func TestOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "q.db")
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now := start
	options := sqlite.Options{MaxReceives: 2, Now: func() time.Time { return now }}
	first := newQueue(t, open(t, file), options)
	if err := first.Send(t.Context(), queue.Message{Body: "a"}, queue.Message{Body: "b", Group: "g", Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	taken, err := first.Receive(t.Context(), 10, time.Minute, 0)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}

	now = start.Add(time.Minute)
	second := newQueue(t, open(t, file), options)
	got, err := second.Receive(t.Context(), 10, time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	var summary []string
	for _, r := range got {
		summary = append(summary, fmt.Sprintf("%s %q %d", r.Body, r.Group, r.Receives))
	}
	slices.Sort(summary)
	if d := cmp.Diff([]string{`a "" 2`, `b "g" 1`}, summary); d != "" {
		t.Error(d)
	}
}

// TestNames: queues of one file do not mix.
func TestNames(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "q.db"))
	one, two := newQueue(t, db, sqlite.Options{Name: "one"}), newQueue(t, db, sqlite.Options{Name: "two"})
	if err := one.Send(t.Context(), queue.Message{Body: "x"}); err != nil {
		t.Fatal(err)
	}
	if got, err := two.Receive(t.Context(), 10, time.Minute, 0); err != nil || len(got) != 0 {
		t.Errorf("the other queue gave %v, %v", got, err)
	}
	got, err := one.Receive(t.Context(), 10, time.Minute, 0)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if err := two.Delete(t.Context(), got[0].Receipt); err != nil {
		t.Fatal(err)
	}
	if waiting, _, err := one.Depth(t.Context()); err != nil || waiting != 1 {
		t.Errorf("%d waiting, %v: the other queue deleted the message", waiting, err)
	}
}

// TestOverview: the view tells an operator the states in words.
func TestOverview(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "q.db"))
	clock := time.Now().Add(-time.Hour)
	q := newQueue(t, db, sqlite.Options{MaxReceives: 1, Now: func() time.Time { return clock }})
	receive := func(visibility time.Duration) {
		t.Helper()
		if _, err := q.Receive(t.Context(), 10, visibility, 0); err != nil {
			t.Fatal(err)
		}
	}
	send := func(m queue.Message) {
		t.Helper()
		if err := q.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	send(queue.Message{Body: "1"})
	receive(time.Second)
	clock = time.Now()
	send(queue.Message{Body: "2"})
	receive(time.Hour) // 1 becomes a dead letter
	send(queue.Message{Body: "3", Delay: time.Minute})
	send(queue.Message{Body: "4"})

	got := map[string]string{}
	err := db.Read(t.Context(), func(c sqlitefile.Conn) error {
		rows, err := c.Query(`SELECT body, state FROM queue_overview ORDER BY body`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body, state string
			if err := rows.Scan(&body, &state); err != nil {
				return err
			}
			got[body] = state
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"1": "dead", "2": "in flight", "3": "delayed", "4": "visible"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestClosed: a fault of the file is an error, not an empty queue.
func TestClosed(t *testing.T) {
	t.Parallel()
	db, err := sqlitefile.Open(filepath.Join(t.TempDir(), "q.db"))
	if err != nil {
		t.Fatal(err)
	}
	q := newQueue(t, db, sqlite.Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := q.Send(t.Context(), queue.Message{Body: "x"}); err == nil {
		t.Error("Send gave no error")
	}
	if _, err := q.Receive(t.Context(), 1, time.Minute, 0); err == nil {
		t.Error("Receive gave no error")
	}
	if err := q.Delete(t.Context(), "a.1"); err == nil {
		t.Error("Delete gave no error")
	}
	if _, _, err := q.Depth(t.Context()); err == nil {
		t.Error("Depth gave no error")
	}
}

// BenchmarkBacklog: one client's backlog does not make receives slow.
func BenchmarkBacklog(b *testing.B) {
	q := newQueue(b, open(b, filepath.Join(b.TempDir(), "q.db")), sqlite.Options{})
	for range 20 {
		many := make([]queue.Message, 1000)
		for i := range many {
			many[i] = queue.Message{Body: "x", Group: "loud"}
		}
		if err := q.Send(b.Context(), many...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := q.Send(b.Context(), queue.Message{Body: "x", Group: "quiet"}); err != nil {
			b.Fatal(err)
		}
		got, err := q.Receive(b.Context(), 2, time.Minute, 0)
		if err != nil || len(got) != 2 {
			b.Fatal(got, err)
		}
		if err := q.Delete(b.Context(), got[0].Receipt, got[1].Receipt); err != nil {
			b.Fatal(err)
		}
	}
}
