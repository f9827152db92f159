package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"momoproxy/shared/queue"
)

func TestCheckSend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message queue.Message
		ok      bool
	}{
		"least":             {queue.Message{Body: "x"}, true},
		"most":              {queue.Message{Body: strings.Repeat("x", queue.MaxBody), Group: strings.Repeat("g", queue.MaxGroup), Delay: queue.MaxDelay}, true},
		"every plane":       {queue.Message{Body: "\t\n\r é ٣ 漢 🙂 \u007f\ufffd"}, true},
		"group punctuation": {queue.Message{Body: "x", Group: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, true},
		"empty":             {queue.Message{}, false},
		"long":              {queue.Message{Body: strings.Repeat("x", queue.MaxBody+1)}, false},
		"long in bytes":     {queue.Message{Body: strings.Repeat("é", queue.MaxBody/2+1)}, false},
		"broken UTF-8":      {queue.Message{Body: "a\xffb"}, false},
		"surrogate":         {queue.Message{Body: "\xed\xa0\x80"}, false},
		"NUL":               {queue.Message{Body: "a\x00b"}, false},
		"escape":            {queue.Message{Body: "\x1b[0m"}, false},
		"noncharacter":      {queue.Message{Body: "\ufffe"}, false},
		"long group":        {queue.Message{Body: "x", Group: strings.Repeat("g", queue.MaxGroup+1)}, false},
		"group with space":  {queue.Message{Body: "x", Group: "a b"}, false},
		"group not ASCII":   {queue.Message{Body: "x", Group: "é"}, false},
		"negative delay":    {queue.Message{Body: "x", Delay: -1}, false},
		"long delay":        {queue.Message{Body: "x", Delay: queue.MaxDelay + 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := queue.CheckSend([]queue.Message{{Body: "good"}, c.message})
			if c.ok && err != nil || !c.ok && !errors.Is(err, queue.ErrInvalid) {
				t.Errorf("CheckSend = %v, want ok %v", err, c.ok)
			}
		})
	}
}

func TestWholeSeconds(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration]time.Duration{
		0:                         0,
		1:                         time.Second,
		time.Second:               time.Second,
		time.Second + 1:           2 * time.Second,
		1999 * time.Millisecond:   2 * time.Second,
		queue.MaxDelay - 1:        queue.MaxDelay,
		15*time.Minute + 0:        15 * time.Minute,
		3*time.Second - time.Hour: 3*time.Second - time.Hour,
	} {
		if got := queue.WholeSeconds(in); got != want {
			t.Errorf("WholeSeconds(%v) = %v, want %v", in, got, want)
		}
	}
}
