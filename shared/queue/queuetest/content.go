package queuetest

import (
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/queue"
)

func (s *suite) roundTrip() {
	s.send() // nothing is fine
	s.empty("nothing sent")
	s.send(queue.Message{Body: `{"delivery":"d1"}`, Group: "client-1"})
	got := s.receiveOne(time.Minute)
	want := queue.Received{ID: got.ID, Receipt: got.Receipt, Body: `{"delivery":"d1"}`, Group: "client-1", Receives: 1}
	if d := cmp.Diff(want, got); d != "" {
		s.Error(d)
	}
	s.empty("in flight")
	s.delete(got.Receipt)
	s.empty("deleted")
	s.wantDepth(0, 0)
}

func (s *suite) keepsContent() {
	cases := []queue.Message{
		{Body: "x"},
		{Body: strings.Repeat("0123456789abcdef", queue.MaxBody/16), Group: strings.Repeat("g", queue.MaxGroup)},
		{Body: strings.Repeat("é", queue.MaxBody/2)},
		{Body: " leading, trailing \r\n\t ", Group: "g"},
		{Body: `{"a":"<b>&\"\\ \u0000"}`, Group: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
		{Body: "漢字 🙂 ٣ \ufffd \u2028", Group: "client:0001/main"},
	}
	want := map[string]string{}
	for _, m := range cases {
		want[m.Body] = m.Group
	}
	s.send(cases...)
	got := map[string]string{}
	for _, r := range s.receiveAll(len(cases), time.Minute) {
		got[r.Body] = r.Group
	}
	if d := cmp.Diff(want, got); d != "" {
		s.Error(d)
	}
}

func (s *suite) sendMany() {
	messages, want := numbered(37, "a")
	s.send(messages...)
	got := s.receiveAll(len(messages), time.Minute)
	if d := cmp.Diff(want, bodies(got)); d != "" {
		s.Error(d)
	}
	ids := map[string]bool{}
	for _, r := range got {
		ids[r.ID] = true
	}
	if len(ids) != len(got) {
		s.Errorf("%d ids for %d messages", len(ids), len(got))
	}
}

func (s *suite) receiveMax() {
	messages, want := numbered(13, "a")
	s.send(messages...)
	var all []queue.Received
	for _, max := range []int{1, 3, 2, 10} {
		got := s.receive(max, time.Minute, time.Second)
		if len(got) == 0 {
			s.Fatalf("nothing of %d", max)
		}
		all = append(all, got...)
	}
	all = append(all, s.receiveAll(len(messages)-len(all), time.Minute)...)
	if d := cmp.Diff(want, bodies(all)); d != "" {
		s.Error(d)
	}
}

func (s *suite) turns() {
	long, _ := numbered(30, "loud")
	s.send(long...)
	s.send(queue.Message{Body: "quiet", Group: "quiet"})
	if !s.h.TakesTurns {
		// Groups are accepted and lose nothing.
		s.receiveAll(31, time.Minute)
		return
	}
	for range 2 {
		got := s.receiveOne(time.Minute)
		s.delete(got.Receipt)
		if got.Group == "quiet" {
			return
		}
	}
	s.Error("a group with one message waits behind another group's thirty")
}

func (s *suite) invalid() {
	good := queue.Message{Body: "good"}
	for name, bad := range map[string]queue.Message{
		"empty body":      {},
		"not UTF-8":       {Body: "a\xff"},
		"NUL":             {Body: "a\x00"},
		"body too long":   {Body: strings.Repeat("x", queue.MaxBody+1)},
		"delay too long":  {Body: "x", Delay: queue.MaxDelay + time.Second},
		"negative delay":  {Body: "x", Delay: -time.Second},
		"group too long":  {Body: "x", Group: strings.Repeat("g", queue.MaxGroup+1)},
		"group of spaces": {Body: "x", Group: "a b"},
	} {
		// The fault is in the second batch of ten: nothing may be sent.
		many, _ := numbered(15, "a")
		for _, messages := range [][]queue.Message{{bad}, {good, bad}, append(many, bad)} {
			if err := s.q.Send(s.ctx, messages...); !errors.Is(err, queue.ErrInvalid) {
				s.Errorf("%s: Send = %v, want ErrInvalid", name, err)
			}
		}
	}
	for name, call := range map[string]struct {
		max              int
		visibility, wait time.Duration
	}{
		"max 0":               {0, time.Second, 0},
		"max 11":              {11, time.Second, 0},
		"visibility 0":        {1, 0, 0},
		"visibility too long": {1, queue.MaxVisibility + time.Second, 0},
		"negative wait":       {1, time.Second, -time.Second},
		"wait too long":       {1, time.Second, queue.MaxWait + time.Second},
	} {
		if got, err := s.q.Receive(s.ctx, call.max, call.visibility, call.wait); !errors.Is(err, queue.ErrInvalid) {
			s.Errorf("%s: Receive = %v, %v, want ErrInvalid", name, got, err)
		}
	}
	s.wantDepth(0, 0)
	s.empty("only refused messages")
}
