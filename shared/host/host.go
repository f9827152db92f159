// Package host is what the product takes from the machine it runs on: the
// clock, timers, parallel work and chance. A simulation passes its own, and
// the product runs the same code on either.
package host

import (
	"context"
	"crypto/rand"
	"io"
	mathrand "math/rand/v2"
	"time"
)

// Host is one such machine. Every field is set, and each is safe for
// concurrent use.
type Host struct {
	Now func() time.Time
	// Sleep waits for d, or until ctx ends: then it returns ctx's error. With
	// a d of zero or less it returns nil at once.
	Sleep func(ctx context.Context, d time.Duration) error
	// AfterFunc calls f in d from now, beside its caller, unless stop returns
	// true first. It is time.AfterFunc with Timer.Stop.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	Parallel  Executor
	Random    io.Reader      // of keys, tokens and references; it never fails
	Jitter    func() float64 // uniform in [0,1)
}

// Machine is the real one.
func Machine() Host {
	return Host{
		Now:       time.Now,
		Sleep:     sleep,
		AfterFunc: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		Parallel:  goroutines,
		Random:    rand.Reader,
		Jitter:    mathrand.Float64,
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
