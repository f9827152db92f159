package core

import (
	"maps"
	"time"
)

// Counters tell how hard a provider was asked.
type Counters struct {
	Requests map[string]int   `json:"requests"` // by route, callbacks among them
	Limits   map[string]Limit `json:"limits"`   // by the provider's name for each
}

// Limit is one of a provider's limits, and how it was kept.
type Limit struct {
	Limit      int       `json:"limit,omitempty"` // within its time; 0: the limit is a time between two
	Most       int       `json:"most,omitempty"`  // in any window of its time
	MostAt     time.Time `json:"mostAt,omitzero"` // the end of that window
	Violations int       `json:"violations"`      // what came beyond it
}

// Violations sums those of all limits.
func (c Counters) Violations() (n int) {
	for _, l := range c.Limits {
		n += l.Violations
	}
	return n
}

// counts is Counters under construction, with what is in each window.
type counts struct {
	requests map[string]int
	limits   map[string]*limit
}

type limit struct {
	Limit
	recent []time.Time // oldest first
}

func newCounts() counts { return counts{map[string]int{}, map[string]*limit{}} }

// Counters returns a snapshot.
func (s *Standin[T]) Counters() Counters {
	s.Lock()
	defer s.Unlock()
	c := Counters{maps.Clone(s.counts.requests), map[string]Limit{}}
	for name, l := range s.counts.limits {
		c.Limits[name] = l.Limit
	}
	return c
}

func (s *Standin[T]) count(route string) {
	s.Lock()
	defer s.Unlock()
	s.counts.requests[route]++
}

func (s *Standin[T]) limit(name string, most int) *limit {
	l := s.counts.limits[name]
	if l == nil {
		l = &limit{Limit: Limit{Limit: most}}
		s.counts.limits[name] = l
	}
	return l
}

// Within counts what a limit of so many within a span is about; it reports
// whether this one came beyond it. Call with the lock held.
func (s *Standin[T]) Within(name string, at time.Time, span time.Duration, most int) (beyond bool) {
	l := s.limit(name, most)
	old := 0
	for old < len(l.recent) && at.Sub(l.recent[old]) >= span {
		old++
	}
	l.recent = append(l.recent[:copy(l.recent, l.recent[old:])], at)
	if len(l.recent) > l.Most {
		l.Most, l.MostAt = len(l.recent), at
	}
	if beyond = len(l.recent) > most; beyond {
		l.Violations++
	}
	return beyond
}

// Spaced notes a question about a payment at a time; it reports whether it
// came sooner after the last one than a limit allows. Call with the lock held.
func (s *Standin[T]) Spaced(name string, p *Payment[T], at time.Time, least time.Duration) (soon bool) {
	soon = !p.polledAt.IsZero() && at.Sub(p.polledAt) < least
	p.polledAt = at
	if soon {
		s.limit(name, 0).Violations++
	}
	return soon
}
