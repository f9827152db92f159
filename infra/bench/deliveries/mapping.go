package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/queue"
)

// The event source mapping's numbers, as in template.yaml.
const (
	batchSize   = 10
	concurrency = 20
	visibility  = 3 * time.Minute
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
		got, err := m.w.queue.Receive(ctx, batchSize, visibility, time.Second)
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
		event := events.SQSEvent{Records: make([]events.SQSMessage, len(got))}
		receipts := map[string]string{}
		for n, r := range got {
			event.Records[n] = events.SQSMessage{
				MessageId: r.ID, ReceiptHandle: r.Receipt, Body: r.Body, EventSource: "aws:sqs",
				Attributes: map[string]string{"MessageGroupId": r.Group},
			}
			receipts[r.ID] = r.Receipt
		}
		m.working.Go(func() {
			defer func() { m.w.instances <- i }()
			m.work(i, event, receipts)
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

func (m *mapping) work(i *instance, event events.SQSEvent, receipts map[string]string) {
	if busy := int64(concurrency - len(m.w.instances)); busy > m.busiest.Load() {
		m.busiest.Store(busy)
	}
	ctx, cancel := context.WithTimeout(context.Background(), visibility/6)
	defer cancel()
	response, err := i.forward.Handle(ctx, event)
	for _, f := range response.BatchItemFailures {
		delete(receipts, f.ItemIdentifier)
		err = errors.Join(err, fmt.Errorf("message %s failed", f.ItemIdentifier))
	}
	done := make([]string, 0, len(receipts))
	for _, r := range receipts {
		done = append(done, r)
	}
	err = errors.Join(err, m.w.queue.Delete(ctx, done...))
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
