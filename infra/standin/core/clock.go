package core

import (
	"context"
	"time"
)

// timer is one thing scheduled.
type timer struct{ stop func() bool }

// later runs f, without the lock, d from now. Call with the lock held.
func (s *Standin[T]) later(d time.Duration, f func()) *timer {
	t := &timer{}
	if s.closed {
		return t
	}
	s.timers[t] = struct{}{}
	t.stop = s.AfterFunc(max(d, 0), func() {
		s.Lock()
		_, live := s.timers[t]
		if !live || s.closed {
			s.Unlock()
			return
		}
		delete(s.timers, t)
		s.sending.Add(1)
		s.Unlock()
		defer s.sending.Done()
		f()
	})
	return t
}

// drop stops one timer. Call with the lock held.
func (s *Standin[T]) drop(t *timer) {
	if _, live := s.timers[t]; live {
		delete(s.timers, t)
		t.stop()
	}
}

func (s *Standin[T]) stopTimers() {
	for t := range s.timers {
		s.drop(t)
	}
}

// sleep waits on the clock; false: ctx or the stand-in ended first.
func (s *Standin[T]) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	done := make(chan struct{})
	stop := s.AfterFunc(d, func() { close(done) })
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	stop()
	return false
}
