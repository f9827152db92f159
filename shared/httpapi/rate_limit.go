package httpapi

import (
	"sync"
	"time"
)

// RateLimit is a token bucket per app, in the memory of one process: each
// running function instance has its own, so the limit on an app is PerSecond
// times the instances. It protects the others' share of an instance; the API
// Gateway's throttle protects the account.
type RateLimit struct {
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory; clients are only counted once authenticated.
const maxBuckets = 10_000

// NewRateLimit allows burst requests at once and perSecond on average.
func NewRateLimit(perSecond, burst float64) *RateLimit {
	return &RateLimit{perSecond: perSecond, burst: burst, buckets: map[string]bucket{}}
}

// Take counts one request. ok is false when the bucket is empty; wait says
// until when. A nil RateLimit limits nothing. Safe for concurrent use.
func (l *RateLimit) Take(client string, now time.Time) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[client]
	if !known {
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
		b = bucket{tokens: l.burst, at: now}
	}
	b.tokens = min(l.burst, b.tokens+max(0, now.Sub(b.at).Seconds())*l.perSecond)
	b.at = now
	if b.tokens < 1 {
		l.buckets[client] = b
		return time.Duration((1 - b.tokens) / l.perSecond * float64(time.Second)), false
	}
	b.tokens--
	l.buckets[client] = b
	return 0, true
}
