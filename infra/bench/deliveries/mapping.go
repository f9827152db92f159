package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/shared/queue"
)

// The event source mapping's numbers, as in template.yaml.
const (
	concurrency = 20
)

// mapping is Lambda's event source mapping: it hands batches to the function's
// instances, as many at once as there are, and deletes what did not fail. A
// batch keeps its instance until its slowest message is done.
type mapping struct {
	w       *world
	busiest atomic.Int64 // batches at once
	// done, if not nil, is called when that many messages are deleted, and
	// received notes when each payment's came.
	until    int64
	done     func()
	received map[string]time.Time

	handled atomic.Int64
	working sync.WaitGroup
	mu      sync.Mutex
	faults  []error
}

// run takes batches until ctx ends, then waits for those under way.
func (m *mapping) run(ctx context.Context) error {
	defer m.working.Wait()
	for {
		var i *instance
		select {
		case i = <-m.w.instances:
		case <-ctx.Done():
			return nil
		}
		got, err := m.w.queue.Receive(ctx, cloud.BatchSize, cloud.Visibility, time.Second)
		if ctx.Err() != nil {
			m.w.instances <- i
			return nil
		}
		if err != nil {
			return err
		}
		if len(got) == 0 {
			m.w.instances <- i
			continue
		}
		if err := m.noteReceived(got); err != nil {
			return err
		}
		batch := cloud.NewBatch(got)
		m.working.Go(func() {
			defer func() { m.w.instances <- i }()
			m.work(i, batch)
		})
	}
}

func (m *mapping) noteReceived(got []queue.Received) error {
	if m.received == nil {
		return nil
	}
	now := time.Now()
	for _, r := range got {
		var bell struct{ Reference string }
		if err := json.Unmarshal([]byte(r.Body), &bell); err != nil {
			return err
		}
		m.received[bell.Reference] = now
	}
	return nil
}

func (m *mapping) work(i *instance, batch cloud.Batch) {
	if busy := int64(concurrency - len(m.w.instances)); busy > m.busiest.Load() {
		m.busiest.Store(busy)
	}
	ctx, cancel := context.WithTimeout(context.Background(), cloud.Visibility/6)
	defer cancel()
	response, err := i.forward.Handle(ctx, batch.Event)
	for _, f := range response.BatchItemFailures {
		err = errors.Join(err, fmt.Errorf("message %s failed", f.ItemIdentifier))
	}
	done, strange := batch.Done(response)
	err = errors.Join(err, strange, m.w.queue.Delete(ctx, done...))
	if m.handled.Add(int64(len(done))) >= m.until && m.done != nil {
		m.done()
	}
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.faults = append(m.faults, err)
	}
}

func (m *mapping) fault() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return errors.Join(m.faults...)
}
