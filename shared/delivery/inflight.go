package delivery

import (
	"time"

	"momoproxy/shared/webhook"
)

// InFlight counts a client's attempts that are unanswered. An unanswered
// attempt keeps its batch for ten seconds, and a client may have any number of
// endpoints, or request old events: no endpoint's circuit bounds its unanswered
// attempts in all. It is kept in the record of AllEndpoints.
//
// An attempt that is answered within a second is not counted. When the count is
// at its limit the client is limited: for limitedFor each attempt is counted
// before it begins, and one over the limit is postponed. What began in the
// second before that comes on top.
type InFlight struct {
	Count      int
	GrewAt     time.Time // the latest growth
	FullAt     time.Time // when the limit was last reached; zero: never
	AnsweredAt time.Time // when a counted attempt was last answered; zero: never
}

const (
	// maxInFlight is the limit of a client that is slow and answers.
	maxInFlight = 8
	// maxUnanswered is the limit while no counted attempt has been answered
	// for limitedFor.
	maxUnanswered = 4
	limitedFor    = time.Minute
)

// Limited says whether each attempt must be counted before it begins.
func (f InFlight) Limited(now time.Time) bool { return recent(f.FullAt, now) }

// Begin counts one attempt more. room: it is within the limit. An old count was
// left behind by a worker that died, and is forgotten.
func (f InFlight) Begin(now time.Time) (after InFlight, room bool) {
	limit := maxUnanswered
	if recent(f.AnsweredAt, now) {
		limit = maxInFlight
	}
	if age := now.Sub(f.GrewAt); age < 0 || age >= webhook.Timeout { // below zero: a clock ran ahead
		f.Count = 0
	}
	room = f.Count < limit
	f.Count++
	f.GrewAt = now
	if f.Count >= limit {
		f.FullAt = now
	}
	return f, room
}

// End takes a counted attempt back. An answer shows that the client is slow and
// does not hang: its limit is higher for a while.
func (f InFlight) End(answered bool, now time.Time) InFlight {
	f.Count = max(0, f.Count-1)
	if answered {
		f.AnsweredAt = now
	}
	return f
}

// recent says whether t lies less than limitedFor before now.
func recent(t, now time.Time) bool {
	return !t.After(now) && now.Sub(t) < limitedFor
}
