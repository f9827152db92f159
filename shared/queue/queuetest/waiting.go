package queuetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"momoproxy/shared/queue"
)

func (s *suite) deleteGone() {
	s.delete()
	s.send(queue.Message{Body: "x"}, queue.Message{Body: "y"})
	got := s.receiveAll(2, time.Minute)
	s.delete(got[0].Receipt)
	s.delete(got[0].Receipt, got[0].Receipt)
	s.delete("", "unknown", "..", "\xff", strings.Repeat("r", 1000), got[0].ID)
	s.wantDepth(1, 0)
	s.delete("unknown", got[1].Receipt) // one bad receipt does not spoil the others
	s.wantDepth(0, 0)
}

func (s *suite) deleteMany() {
	messages, _ := numbered(23, "a")
	s.send(messages...)
	s.delete(receipts(s.receiveAll(len(messages), time.Minute))...)
	s.wantDepth(0, 0)
}

func (s *suite) depth() {
	s.wantDepth(0, 0)
	s.send(queue.Message{Body: "taken"})
	taken := s.receiveOne(time.Minute)
	s.send(queue.Message{Body: "visible"}, queue.Message{Body: "delayed", Delay: time.Minute})
	s.wantDepth(3, 0)
	s.delete(taken.Receipt)
	s.wantDepth(2, 0)
}

func (s *suite) concurrent() {
	const senders, each, consumers = 4, 25, 6
	var mu sync.Mutex
	taken := map[string]int{} // body to how often it was received
	var faults []string
	fault := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		faults = append(faults, fmt.Sprintf(format, args...))
	}
	ctx, done := context.WithCancel(s.ctx)
	defer done()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			messages, _ := numbered(each, fmt.Sprintf("sender%d-", i))
			if err := s.q.Send(s.ctx, messages...); err != nil {
				fault("Send: %v", err)
			}
		})
	}
	for range consumers {
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := s.q.Receive(ctx, 3, 10*time.Minute, queue.MaxWait)
				if err != nil {
					if ctx.Err() == nil {
						fault("Receive: %v", err)
					}
					return
				}
				mu.Lock()
				for _, r := range got {
					taken[r.Body]++
				}
				if len(taken) == senders*each {
					done()
				}
				mu.Unlock()
				// Half are deleted while others receive, half stay in flight.
				for i, r := range got {
					if i%2 == 0 {
						if err := s.q.Delete(s.ctx, r.Receipt); err != nil {
							fault("Delete: %v", err)
						}
					}
				}
			}
		})
	}
	wg.Wait()
	for _, f := range faults {
		s.Error(f)
	}
	if len(taken) != senders*each {
		s.Errorf("%d of %d messages were received", len(taken), senders*each)
	}
	for body, n := range taken {
		if n != 1 {
			s.Errorf("%s was received %d times within its visibility", body, n)
		}
	}
	s.empty("all are taken")
}

func (s *suite) waitEnds() {
	start := time.Now()
	if got := s.receive(1, time.Minute, time.Second); len(got) != 0 {
		s.Errorf("received %+v", got)
	}
	s.since(start, time.Second)
}

func (s *suite) waitWakes() {
	start := time.Now()
	got := make(chan []queue.Received)
	go func() { got <- s.receive1(queue.MaxWait) }()
	// Whether the message comes before the wait begins or after, the wait
	// ends with it. On a virtual clock it surely comes after.
	if s.h.Advance != nil {
		s.h.Advance(time.Second)
	}
	s.send(queue.Message{Body: "ring"})
	if r := <-got; len(r) != 1 || r[0].Body != "ring" {
		s.Errorf("received %+v", r)
	}
	if took := time.Since(start); took > queue.MaxWait/2 {
		s.Errorf("the message came after %v", took)
	}
}

// receive1 is for other goroutines: it must not end the test.
func (s *suite) receive1(wait time.Duration) []queue.Received {
	got, err := s.q.Receive(s.ctx, 1, time.Minute, wait)
	if err != nil {
		s.Errorf("Receive: %v", err)
	}
	return got
}

func (s *suite) contextEnds() {
	start := time.Now()
	ctx, cancel := context.WithTimeout(s.ctx, 300*time.Millisecond)
	defer cancel()
	// A far engine may not notice and hand the next message to nobody: it
	// must then come back when this visibility ends.
	got, err := s.q.Receive(ctx, 1, time.Second, queue.MaxWait)
	if len(got) != 0 || !isContext(err) {
		s.Errorf("Receive = %v, %v; want the context's error", got, err)
	}
	if took := time.Since(start); took > queue.MaxWait/2 {
		s.Errorf("ended after %v", took)
	}
	// The queue still works.
	s.send(queue.Message{Body: "after"})
	s.receiveOne(time.Minute)
}

func (s *suite) contextEnded() {
	s.send(queue.Message{Body: "x"})
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.q.Send(ctx, queue.Message{Body: "y"}); !isContext(err) {
		s.Errorf("Send = %v", err)
	}
	if got, err := s.q.Receive(ctx, 1, time.Minute, time.Second); len(got) != 0 || !isContext(err) {
		s.Errorf("Receive = %v, %v", got, err)
	}
	if err := s.q.Delete(ctx, "r"); !isContext(err) {
		s.Errorf("Delete = %v", err)
	}
	if _, _, err := s.q.Depth(ctx); !isContext(err) {
		s.Errorf("Depth = %v", err)
	}
	s.wantDepth(1, 0)
}
