package delivery

import (
	"strings"
	"time"
)

// Cause says why an attempt was made. Automatic attempts follow the schedule. A
// manual one was requested, and a probe finds out whether an endpoint
// recovered: both are off the schedule.
type Cause string

const (
	CauseAutomatic Cause = "automatic"
	CauseManual    Cause = "manual"
	CauseProbe     Cause = "probe"
)

// Attempt is one try to deliver an event.
type Attempt struct {
	Reference string
	Sequence  int
	Number    int // counts the delivery's claims, from 1
	Cause     Cause
	Started   time.Time
	Duration  time.Duration // kept in milliseconds
	Code      int           // HTTP status; 0: no answer
	Error     string        // class of the transport error; empty: none
	Excerpt   string        // of the answer
	Location  string        // where a redirect pointed, without its query
	TLSFault  string        // which fault, where Error is the class "tls"
}

// What a delivery keeps of its attempts is rewritten with each of its changes,
// so it is bounded: KeptAttempts, which is a whole schedule, with the latest
// answer in full and the others cut. The audit log has every attempt whole.
const (
	KeptAttempts = MaxAttempts
	fullExcerpt  = 1 << 10 // bytes, of the latest
	shortExcerpt = 100     // bytes, of the others
)

// keep appends an attempt to the latest ones.
func keep(latest []Attempt, a Attempt) []Attempt {
	kept := make([]Attempt, 0, KeptAttempts)
	for _, old := range latest[max(0, len(latest)+1-KeptAttempts):] {
		old.Excerpt = cut(old.Excerpt, shortExcerpt)
		kept = append(kept, old)
	}
	a.Excerpt = cut(a.Excerpt, fullExcerpt)
	return append(kept, a)
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
