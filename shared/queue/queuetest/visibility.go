package queuetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/queue"
)

func (s *suite) delay() {
	sent := time.Now()
	s.send(queue.Message{Body: "later", Delay: 2 * time.Second}, queue.Message{Body: "now"})
	first := s.receiveOne(time.Minute)
	s.empty("delayed")
	second := s.receiveOne(time.Minute)
	if d := cmp.Diff([]string{"now", "later"}, []string{first.Body, second.Body}); d != "" {
		s.Error(d)
	}
	s.since(sent, 2*time.Second)
}

func (s *suite) delayFraction() {
	sent := time.Now()
	s.send(queue.Message{Body: "x", Delay: 1001 * time.Millisecond})
	s.receiveOne(time.Minute)
	s.since(sent, 2*time.Second)
}

// since demands that at least d has passed. Engines that cut the clock to
// some milliseconds are forgiven 50 of them.
func (s *suite) since(start time.Time, d time.Duration) {
	s.Helper()
	took := time.Since(start)
	if took < d-50*time.Millisecond {
		s.Errorf("came after %v, want %v", took, d)
	}
	if s.h.Advance != nil && took > d+250*time.Millisecond {
		s.Errorf("came only after %v, want %v", took, d)
	}
}

func (s *suite) visibility() {
	s.send(queue.Message{Body: "x", Group: "g"})
	start := time.Now()
	first := s.receiveOne(2 * time.Second)
	s.empty("in flight")
	second := s.receiveOne(time.Second)
	s.since(start, 2*time.Second)
	third := s.receiveOne(time.Minute)
	s.since(start, 3*time.Second)

	for i, r := range []queue.Received{first, second, third} {
		want := queue.Received{ID: first.ID, Receipt: r.Receipt, Body: "x", Group: "g", Receives: i + 1}
		if d := cmp.Diff(want, r); d != "" {
			s.Error(d)
		}
	}
	if first.Receipt == second.Receipt || second.Receipt == third.Receipt {
		s.Error("two receives gave the same receipt")
	}
}

func (s *suite) deleted() {
	s.send(queue.Message{Body: "gone"}, queue.Message{Body: "kept"})
	for _, r := range s.receiveAll(2, time.Second) {
		if r.Body == "gone" {
			s.delete(r.Receipt)
		}
	}
	// When the kept one is back, so would the other be.
	if r := s.receiveOne(time.Minute); r.Body != "kept" {
		s.Errorf("%q came back", r.Body)
	}
	if got := s.receive(10, time.Minute, time.Second); len(got) != 0 {
		s.Errorf("%+v came back", got)
	}
}

func (s *suite) oldReceipt() {
	s.send(queue.Message{Body: "x"})
	first := s.receiveOne(time.Second)
	second := s.receiveOne(2 * time.Second) // another worker has it now
	s.delete(first.Receipt)
	if s.h.OldReceiptsDelete {
		s.delete(second.Receipt)
	} else {
		s.wantDepth(1, 0)
		third := s.receiveOne(time.Minute)
		if third.ID != first.ID || third.Receives != 3 {
			s.Errorf("third receive gave %+v", third)
		}
		s.delete(first.Receipt, second.Receipt)
		s.wantDepth(1, 0)
		s.delete(third.Receipt)
	}
	s.wantDepth(0, 0)
	s.delete(first.Receipt)
}

func (s *suite) lateReceipt() {
	s.send(queue.Message{Body: "slow"})
	got := s.receiveOne(time.Second)
	s.send(queue.Message{Body: "marker", Delay: 2 * time.Second})
	// The slow worker's visibility is over by now, but nobody took its
	// message: it comes with the marker or before, unless it was deleted.
	if s.h.Advance == nil {
		// Only a virtual clock lets time pass without receiving.
		s.delete(got.Receipt)
	} else {
		s.h.Advance(1500 * time.Millisecond)
		s.delete(got.Receipt)
	}
	if r := s.receiveOne(time.Minute); r.Body != "marker" {
		s.Errorf("%q came, want the marker", r.Body)
	}
	s.wantDepth(1, 0)
}

func (s *suite) deadLetters() {
	s.send(queue.Message{Body: "poison"}, queue.Message{Body: "good"})
	var last string
	for receive := 1; receive <= 2; receive++ {
		for _, r := range s.receiveAll(3-receive, time.Second) {
			if r.Receives != receive {
				s.Errorf("%s: Receives = %d, want %d", r.Body, r.Receives, receive)
			}
			if r.Body == "good" {
				s.delete(r.Receipt)
			} else {
				last = r.Receipt
			}
		}
	}
	if got := s.receive(10, time.Second, 2*time.Second); len(got) != 0 {
		s.Errorf("received %+v beyond MaxReceives", got)
	}
	s.wantDepth(0, 1)
	s.delete(last)
	s.wantDepth(0, 1)
}

// longest needs a virtual clock: it takes half a day.
func (s *suite) longest() {
	if s.h.Advance == nil {
		s.send(queue.Message{Body: "x", Delay: queue.MaxDelay})
		s.send(queue.Message{Body: "y"})
		s.receive(1, queue.MaxVisibility, queue.MaxWait)
		s.empty("the longest times are accepted")
		s.wantDepth(2, 0)
		return
	}
	s.send(queue.Message{Body: "x", Delay: queue.MaxDelay})
	s.h.Advance(queue.MaxDelay - time.Second)
	s.empty("one second early")
	s.h.Advance(time.Second)
	if got := s.receive(10, queue.MaxVisibility, 0); len(got) != 1 {
		s.Fatalf("%d messages after the delay", len(got))
	}
	s.h.Advance(queue.MaxVisibility - time.Second)
	s.empty("one second early")
	s.h.Advance(time.Second)
	if got := s.receive(10, time.Second, 0); len(got) != 1 || got[0].Receives != 2 {
		s.Fatalf("%+v after the visibility", got)
	}
}
