package memory_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/queue"
	"momoproxy/shared/queue/memory"
	"momoproxy/shared/queue/queuetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, queuetest.Harness{
		Open: func(t *testing.T, o queuetest.Options) queue.Queue {
			return memory.New(time.Now, o.MaxReceives)
		},
		Around:     synctest.Test,
		Advance:    time.Sleep,
		TakesTurns: true,
	})
}

// TestDeterministic: two runs of the same calls are alike, ids included.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	run := func() (all []queue.Received) {
		now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		q := memory.New(func() time.Time { return now }, 3)
		for step := range 60 {
			m := queue.Message{Body: string(rune('a' + step%26)), Group: string(rune('p' + step%5)), Delay: time.Duration(step%3) * time.Second}
			if err := q.Send(t.Context(), m, m); err != nil {
				t.Fatal(err)
			}
			got, err := q.Receive(t.Context(), 1+step%3, time.Second, 0)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got...)
			if len(got) > 0 && step%2 == 0 {
				if err := q.Delete(t.Context(), got[0].Receipt); err != nil {
					t.Fatal(err)
				}
			}
			now = now.Add(700 * time.Millisecond)
		}
		return all
	}
	first := run()
	for range 5 {
		if d := cmp.Diff(first, run()); d != "" {
			t.Fatalf("runs differ:\n%s", d)
		}
	}
}

// TestReceiptForms: forms of our own receipts with other numbers.
func TestReceiptForms(t *testing.T) {
	t.Parallel()
	q := memory.New(time.Now, 0)
	if err := q.Send(t.Context(), queue.Message{Body: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := q.Delete(t.Context(), "m1.0", "m1.1", "m1.01", "m1.", "m1", ".1", "m2.1"); err != nil {
		t.Fatal(err)
	}
	if waiting, _, _ := q.Depth(t.Context()); waiting != 1 {
		t.Error("a receipt that was never given out deleted a message")
	}
}

func BenchmarkSendReceiveDelete(b *testing.B) {
	q := memory.New(time.Now, 5)
	for b.Loop() {
		if err := q.Send(b.Context(), queue.Message{Body: "x", Group: "g"}); err != nil {
			b.Fatal(err)
		}
		got, err := q.Receive(b.Context(), 10, time.Minute, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := q.Delete(b.Context(), got[0].Receipt); err != nil {
			b.Fatal(err)
		}
	}
}
