package queue

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of the port. Adapters call CheckSend and CheckReceive first, so
// that a request refused by one of them is refused by all.
const (
	MaxBody       = 16 << 10 // bytes
	MaxGroup      = 128      // bytes
	MaxReceive    = 10       // messages of one Receive
	MinVisibility = time.Second
	MaxVisibility = 12 * time.Hour
	MaxWait       = 20 * time.Second
)

// CheckSend reports, wrapping ErrInvalid, the first message Send must refuse.
func CheckSend(messages []Message) error {
	for i, m := range messages {
		if why := fault(m); why != "" {
			return fmt.Errorf("%w: message %d: %s", ErrInvalid, i, why)
		}
	}
	return nil
}

func fault(m Message) string {
	switch {
	case m.Body == "":
		return "empty body"
	case len(m.Body) > MaxBody:
		return fmt.Sprintf("body of %d bytes, at most %d", len(m.Body), MaxBody)
	case !utf8.ValidString(m.Body):
		return "body is not UTF-8"
	case len(m.Group) > MaxGroup:
		return fmt.Sprintf("group of %d bytes, at most %d", len(m.Group), MaxGroup)
	case m.Delay < 0 || m.Delay > MaxDelay:
		return fmt.Sprintf("delay %v is not within 0 and %v", m.Delay, MaxDelay)
	}
	for _, r := range m.Body {
		if !carried(r) {
			return fmt.Sprintf("body holds %U, which a queue may not carry", r)
		}
	}
	for i := range len(m.Group) {
		if m.Group[i] <= ' ' || m.Group[i] > '~' {
			return "group holds other characters than letters, digits and punctuation"
		}
	}
	return ""
}

// carried tells whether SQS takes the character in a message body: those
// that XML 1.0 knows (SendMessage in the SQS API reference).
func carried(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r != 0xFFFE && r != 0xFFFF
}

// CheckReceive reports, wrapping ErrInvalid, why Receive must refuse.
func CheckReceive(max int, visibility, wait time.Duration) error {
	switch {
	case max < 1 || max > MaxReceive:
		return fmt.Errorf("%w: max %d is not within 1 and %d", ErrInvalid, max, MaxReceive)
	case visibility < MinVisibility || visibility > MaxVisibility:
		return fmt.Errorf("%w: visibility %v is not within %v and %v", ErrInvalid, visibility, MinVisibility, MaxVisibility)
	case wait < 0 || wait > MaxWait:
		return fmt.Errorf("%w: wait %v is not within 0 and %v", ErrInvalid, wait, MaxWait)
	}
	return nil
}

// WholeSeconds rounds d up, as every adapter does with a delay.
func WholeSeconds(d time.Duration) time.Duration {
	if rest := d % time.Second; rest > 0 {
		d += time.Second - rest
	}
	return d
}
