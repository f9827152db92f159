package sandbox

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// Counters tell how hard the provider was asked.
type Counters struct {
	Requests map[string]int `json:"requests"` // by Route
	// MaxGETs is the most collection GETs in any window of one second, and
	// MaxGETsAt the end of that window. MTN's limit is GETLimit (10).
	MaxGETs    int       `json:"maxGetsPerSecond"`
	MaxGETsAt  time.Time `json:"maxGetsAt"`
	GETLimit   int       `json:"getLimit"`
	Violations int       `json:"violations"` // GETs that came beyond the limit
}

// counts is Counters under construction.
type counts struct {
	Counters
	recent []time.Time // collection GETs of the last second, oldest first
}

func newCounts(limit int) counts {
	return counts{Counters: Counters{Requests: map[string]int{}, GETLimit: limit}}
}

// Counters returns a snapshot.
func (s *Sandbox) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts.Counters
	c.Requests = maps.Clone(c.Requests)
	return c
}

// count counts a request; it reports whether it came beyond the GET limit.
func (s *Sandbox) count(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	c.Requests[r.route]++
	if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/collection/") {
		return false
	}
	old := 0
	for old < len(c.recent) && r.at.Sub(c.recent[old]) >= time.Second {
		old++
	}
	c.recent = append(c.recent[:copy(c.recent, c.recent[old:])], r.at)
	if len(c.recent) > c.MaxGETs {
		c.MaxGETs, c.MaxGETsAt = len(c.recent), r.at
	}
	if len(c.recent) <= c.GETLimit {
		return false
	}
	c.Violations++
	return true
}
