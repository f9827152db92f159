package httpapi

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// RateLimit is a token bucket per app, in the memory of one process: each
// running function instance has its own, so the limit on an app is PerSecond
// times the instances. To share it would cost every request a write that
// waits, more than most requests cost at all. It protects the others' share of
// an instance; the API Gateway's throttle protects the account.
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

// Rates of one app per function instance: twenty requests a second, forty at
// once.
const (
	AppPerSecond = 20
	AppBurst     = 40
)

// NewRateLimit allows burst requests at once and perSecond on average.
func NewRateLimit(perSecond, burst float64) *RateLimit {
	return &RateLimit{perSecond: perSecond, burst: burst, buckets: map[string]bucket{}}
}

// Quota is where an app stands after a request.
type Quota struct {
	OK        bool          // the request may go on
	Remaining int           // requests that may follow at once
	More      time.Duration // until one more may; 0: the bucket is full
	limit     *RateLimit
}

// Take counts one request. A nil RateLimit limits nothing. Safe for
// concurrent use.
func (l *RateLimit) Take(client string, now time.Time) Quota {
	if l == nil {
		return Quota{OK: true}
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
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[client] = b
	_, part := math.Modf(b.tokens)
	return Quota{OK: ok, Remaining: int(b.tokens), limit: l,
		More: time.Duration((1 - part) / l.perSecond * float64(time.Second))}
}

// policyName names the one quota there is in the two headers.
const policyName = `"app"`

// headers tells the quota as draft-ietf-httpapi-ratelimit-headers-11 writes
// it: the policy with its quota and the seconds in which an empty bucket is
// full again, and what is left with the seconds until there is more.
func (q Quota) headers(into map[string]string) {
	if q.limit == nil {
		return
	}
	window := max(1, int(math.Ceil(q.limit.burst/q.limit.perSecond)))
	into["ratelimit-policy"] = fmt.Sprintf("%s;q=%d;w=%d", policyName, int(q.limit.burst), window)
	into["ratelimit"] = fmt.Sprintf("%s;r=%d;t=%d", policyName, q.Remaining, int(math.Ceil(q.More.Seconds())))
}

// quotaKey is where guard keeps a place for the quota of the request that it
// answers: authenticate finds it out, every answer from then on tells it.
type quotaKey struct{}

func withQuota(ctx context.Context) (context.Context, *Quota) {
	q := new(Quota)
	return context.WithValue(ctx, quotaKey{}, q), q
}

func noteQuota(ctx context.Context, q Quota) {
	if place, ok := ctx.Value(quotaKey{}).(*Quota); ok {
		*place = q
	}
}
