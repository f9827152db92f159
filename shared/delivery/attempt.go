package delivery

import "time"

// Cause says why an attempt was made. Automatic attempts follow the schedule. A
// manual one was requested, and a probe finds out whether an endpoint
// recovered: both are off the schedule.
type Cause string

const (
	CauseAutomatic Cause = "automatic"
	CauseManual    Cause = "manual"
	CauseProbe     Cause = "probe"
)

// Attempt is one try to deliver an event. It never changes.
type Attempt struct {
	Reference string
	Sequence  int
	Number    int // counts the delivery's claims, from 1
	Cause     Cause
	Started   time.Time
	Duration  time.Duration // kept in milliseconds
	Code      int           // HTTP status; 0: no answer
	Error     string        // class of the transport error; empty: none
	Excerpt   string        // of the answer, at most 4 KiB
	Location  string        // where a redirect pointed, without its query
	TLSFault  string        // which fault, where Error is the class "tls"
}
