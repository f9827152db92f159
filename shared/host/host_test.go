package host_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/host"
)

// A lock has one holder at a time. Who waits goes on when it is free, or when
// the context ends.
func TestLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := host.Machine().NewLock()
		if err := l.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("acquired while it was held: %v", err)
		}
		time.AfterFunc(time.Minute, l.Release)
		began := time.Now()
		if err := l.Acquire(t.Context()); err != nil || time.Since(began) != time.Minute {
			t.Errorf("acquired after %s: %v", time.Since(began), err)
		}
		l.Release()
		for range 50 { // a select alone would toss a coin
			if err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("acquired when the context had ended: %v", err)
			}
		}
	})
}

// stop prevents the call, or returns when it has ended.
func TestAfterFunc(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, ended := host.Machine(), false
		stop := m.AfterFunc(time.Second, func() {
			time.Sleep(time.Minute)
			ended = true
		})
		time.Sleep(2 * time.Second)
		if stop() || !ended {
			t.Errorf("stop returned while the call went on: ended is %t", ended)
		}
		stop = m.AfterFunc(time.Second, func() { t.Error("called after it was stopped") })
		if !stop() {
			t.Error("stop does not say that it prevented the call")
		}
		time.Sleep(time.Minute)
	})
}
