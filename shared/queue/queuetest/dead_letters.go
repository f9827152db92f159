package queuetest

import (
	"errors"
	"time"

	"momoproxy/shared/queue"
)

// takeDead is about the operator's side. A harness that gives each call to
// another queue in turn has none; its queues are judged one by one.
func (s *suite) takeDead() {
	dead, ok := s.q.(queue.DeadLetters)
	if !ok {
		return
	}
	if _, err := dead.TakeDead(s.ctx, 0, time.Second); !errors.Is(err, queue.ErrInvalid) {
		s.Errorf("TakeDead of none: %v", err)
	}
	before := time.Now()
	s.send(queue.Message{Body: "one", Group: "g"}, queue.Message{Body: "two", Group: "g"})
	s.receiveAll(2, time.Second)
	if got := s.receive(10, time.Second, 2*time.Second); len(got) != 0 {
		s.Fatalf("received %+v beyond MaxReceives", got)
	}
	s.wantDepth(0, 2)

	letters := s.takeAllDead(dead, 2, 3*time.Second)
	for _, l := range letters {
		if l.Body != "one" && l.Body != "two" || l.Group != "g" || l.ID == "" || l.Receipt == "" {
			s.Errorf("took %+v", l)
		}
		if l.SentAt.Before(before.Add(-time.Second)) || l.SentAt.After(time.Now().Add(time.Second)) {
			s.Errorf("sent at %v, between %v and now", l.SentAt, before)
		}
	}
	if other, err := dead.TakeDead(s.ctx, 10, time.Second); err != nil || len(other) != 0 {
		s.Errorf("another took %+v, %v", other, err)
	}
	// A receipt of nobody's is harmless.
	if err := dead.DeleteDead(s.ctx, letters[0].Receipt, "nobody's"); err != nil {
		s.Errorf("DeleteDead: %v", err)
	}
	s.wantDepth(0, 1)
	again := s.takeAllDead(dead, 1, time.Minute)
	if again[0].ID != letters[1].ID {
		s.Errorf("took %+v again, want %+v", again[0], letters[1])
	}
	if err := dead.DeleteDead(s.ctx, again[0].Receipt); err != nil {
		s.Errorf("DeleteDead: %v", err)
	}
	if err := dead.DeleteDead(s.ctx, again[0].Receipt); err != nil {
		s.Errorf("DeleteDead of what is gone: %v", err)
	}
	s.wantDepth(0, 0)
}

// takeAllDead takes n dead letters, waiting for those that are hidden.
func (s *suite) takeAllDead(dead queue.DeadLetters, n int, visibility time.Duration) []queue.DeadLetter {
	s.Helper()
	var all []queue.DeadLetter
	for len(all) < n {
		got, err := dead.TakeDead(s.ctx, n-len(all), visibility)
		if err != nil {
			s.Fatalf("TakeDead: %v", err)
		}
		if all = append(all, got...); len(got) > 0 {
			continue
		}
		select {
		case <-s.ctx.Done():
			s.Fatalf("%d dead letters came, want %d", len(all), n)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return all
}
