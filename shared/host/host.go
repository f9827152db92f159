// Package host is what the product takes from the machine it runs on: the
// clock, timers, locks, parallel work and chance. A simulation passes its own, and
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
	// AfterFunc calls f in d from now, beside its caller, unless stop is called
	// first. stop, which is called once, says whether it prevented the call of
	// f; when it did not, it returns when f has ended.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
	NewLock   func() Lock
	Parallel  Executor
	Random    io.Reader      // of keys, tokens and references; it never fails
	Jitter    func() float64 // uniform in [0,1)
}

// Machine is the real one.
func Machine() Host {
	return Host{
		Now:       time.Now,
		Sleep:     sleep,
		AfterFunc: afterFunc,
		NewLock:   func() Lock { return make(channelLock, 1) },
		Parallel:  goroutines,
		Random:    rand.Reader,
		Jitter:    mathrand.Float64,
	}
}

// Lock has one holder at a time.
type Lock interface {
	// Acquire waits until the lock is free, or until ctx ends: then it returns
	// ctx's error, also when the lock is free.
	Acquire(ctx context.Context) error
	Release()
}

type channelLock chan struct{}

func (l channelLock) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil { // a select would toss a coin
		return err
	}
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l channelLock) Release() { <-l }

func afterFunc(d time.Duration, f func()) (stop func() bool) {
	ended := make(chan struct{})
	t := time.AfterFunc(d, func() {
		defer close(ended)
		f()
	})
	return func() bool {
		if t.Stop() {
			return true
		}
		<-ended
		return false
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
