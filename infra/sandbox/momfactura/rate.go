package momfactura

import (
	"maps"
	"time"
)

// The provider's limits, over everybody behind one address.
const (
	requestsPerMinute = 100
	submitsPerMinute  = 20
	referenceSpacing  = 30 * time.Second // between two questions about one reference
	ekwanzaSpacing    = 5 * time.Second  // about one code
)

// Violations count what came beyond each of the four limits.
type Violations struct {
	Requests       int `json:"requests"`       // beyond 100 in a minute
	Submits        int `json:"submits"`        // beyond 20 in a minute
	ReferencePolls int `json:"referencePolls"` // less than 30 s after the one before
	EkwanzaPolls   int `json:"ekwanzaPolls"`   // less than 5 s after the one before
}

// Total is how many there were of all kinds.
func (v Violations) Total() int { return v.Requests + v.Submits + v.ReferencePolls + v.EkwanzaPolls }

// Counters tell how hard the provider was asked.
type Counters struct {
	Requests map[string]int `json:"requests"` // by Route
	// MaxRequests and MaxSubmits are the most in any window of a minute.
	MaxRequests int        `json:"maxRequestsPerMinute"`
	MaxSubmits  int        `json:"maxSubmitsPerMinute"`
	Violations  Violations `json:"violations"`
	Webhooks    int        `json:"webhooks"` // sent, forged ones included
}

// counts is Counters under construction, with the times of the last minute.
type counts struct {
	Counters
	requests, submits []time.Time
}

func newCounts() counts { return counts{Counters: Counters{Requests: map[string]int{}}} }

// Counters returns a snapshot.
func (s *Sandbox) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts.Counters
	c.Requests = maps.Clone(c.Requests)
	return c
}

// Violations are those of Counters.
func (s *Sandbox) Violations() Violations { return s.Counters().Violations }

// count counts a request; the code of the limit that it went beyond is empty
// when there was none. A request of an unknown path counts among the 100.
func (s *Sandbox) count(route string, at time.Time) (beyond string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	c.Requests[route]++
	if route == RouteMCX || route == RouteReference || route == RouteEkwanza {
		var n int
		c.submits, n = within(c.submits, at)
		c.MaxSubmits = max(c.MaxSubmits, n)
		if n > submitsPerMinute {
			c.Violations.Submits++
			beyond = "PAYMENT_RATE_LIMIT_EXCEEDED"
		}
	}
	var n int
	c.requests, n = within(c.requests, at)
	c.MaxRequests = max(c.MaxRequests, n)
	if n > requestsPerMinute {
		c.Violations.Requests++
		beyond = "RATE_LIMIT_EXCEEDED"
	}
	return beyond
}

// within adds a moment and drops those a minute older; it returns how many
// are left.
func within(times []time.Time, at time.Time) ([]time.Time, int) {
	old := 0
	for old < len(times) && at.Sub(times[old]) >= time.Minute {
		old++
	}
	times = append(times[:copy(times, times[old:])], at)
	return times, len(times)
}

// polled notes a status question about a payment, whatever becomes of it, and
// says whether it came too soon.
func (s *Sandbox) polled(id string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byID[id]
	if p == nil {
		return false
	}
	spacing, violations := referenceSpacing, &s.counts.Violations.ReferencePolls
	if p.Method == RouteEkwanza {
		spacing, violations = ekwanzaSpacing, &s.counts.Violations.EkwanzaPolls
	}
	soon := p.Statuses > 0 && at.Sub(p.askedAt) < spacing
	p.Statuses, p.askedAt = p.Statuses+1, at
	if soon {
		*violations++
	}
	return soon
}
