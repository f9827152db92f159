package host_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/shared/host"
)

// Each keeps its limit, runs everything, and tells each task's own fault.
func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit, n = 3, 20
		var running, most, ran atomic.Int64
		bad := errors.New("bad")
		began := time.Now()
		faults := host.Machine().Parallel.Each(t.Context(), limit, n, func(i int) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			ran.Add(1)
			time.Sleep(time.Second)
			switch i {
			case 4:
				return bad
			case 5:
				panic("of the fifth")
			}
			return nil
		})
		if ran.Load() != n || most.Load() != limit || time.Since(began) != 7*time.Second {
			t.Errorf("%d of %d ran, %d at a time, in %s", ran.Load(), n, most.Load(), time.Since(began))
		}
		for i, err := range faults {
			var p *host.PanicError
			switch {
			case i == 4 && errors.Is(err, bad), i != 4 && i != 5 && err == nil:
			case i == 5 && errors.As(err, &p) && p.Value == "of the fifth" && len(p.Stack) > 0:
			default:
				t.Errorf("task %d: %v", i, err)
			}
		}
	})
}

// When its context has ended, Each starts no more and says so.
func TestEachStopsStarting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ran := 0
	faults := host.Machine().Parallel.Each(ctx, 1, 5, func(i int) error {
		if ran++; i == 1 {
			cancel()
		}
		return nil
	})
	if ran != 2 {
		t.Errorf("%d ran", ran)
	}
	for i, err := range faults {
		if errors.Is(err, host.ErrNotStarted) != (i > 1) || errors.Is(err, context.Canceled) != (i > 1) {
			t.Errorf("task %d: %v", i, err)
		}
	}
}

func TestSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, began := host.Machine(), time.Now()
		if err := m.Sleep(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("slept for %s: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute+time.Second {
			t.Errorf("slept for %s: %v", time.Since(began), err)
		}
		if err := m.Sleep(ctx, -1); err != nil {
			t.Errorf("nothing to wait for: %v", err)
		}
	})
}
