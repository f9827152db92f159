package engine

import (
	"context"
	"sync"
	"testing"
	"time"
)

// startTimeout covers a first run that downloads the engine.
const startTimeout = 5 * time.Minute

type shared struct {
	once   sync.Once
	engine Engine
	err    error
}

var running = map[Service]*shared{DynamoDB: {}, SQS: {}}

// For returns the engine of the service, started on the first call and shared
// by all tests of this process; it ends with the process. Tests are separated by
// names of their own. No engine fails the test: it never skips.
func For(t testing.TB, s Service) Engine {
	t.Helper()
	r := running[s]
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		r.engine, r.err = Start(ctx, s)
	})
	if r.err != nil {
		t.Fatalf("%v", r.err)
	}
	return r.engine
}
