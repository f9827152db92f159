package host

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"
)

// Executor calls task once for each i in [0,n), at most limit of them at a
// time, and returns when all have ended. The order is the executor's. Tasks
// do not panic: Each sees to that.
type Executor func(limit, n int, task func(i int))

// goroutines is the machine's executor.
func goroutines(limit, n int, task func(i int)) {
	var g errgroup.Group
	g.SetLimit(limit)
	for i := range n {
		g.Go(func() error { task(i); return nil })
	}
	_ = g.Wait() // no task returns an error
}

// ErrNotStarted is of a task whose context had ended before its turn came.
var ErrNotStarted = errors.New("not started")

// Each calls task for each i in [0,n), at most limit at a time, and returns
// the error of each when all have ended. A task that panics has a
// *PanicError; the others go on. When ctx has ended no more are started.
func (run Executor) Each(ctx context.Context, limit, n int, task func(i int) error) []error {
	faults := make([]error, n)
	run(limit, n, func(i int) {
		if err := ctx.Err(); err != nil {
			faults[i] = fmt.Errorf("%w: %w", ErrNotStarted, err)
			return
		}
		faults[i] = Protect(func() error { return task(i) })
	})
	return faults
}

// PanicError is what a task panicked with, and where.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack) }

// Protect calls task and turns its panic into a *PanicError: a panic about one
// payment or endpoint must not end the work on the others.
func Protect(task func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return task()
}
