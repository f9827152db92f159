package ledger

import (
	"sync"
	"time"
)

// cache keeps a few values of a kind for a short time within one process. The
// table stays the truth: a caller reads from a cache where an answer so old is
// good enough.
type cache[V any] struct {
	mu     sync.Mutex
	ttl    time.Duration
	values map[string]cached[V]
}

type cached[V any] struct {
	value V
	at    time.Time
}

// cacheSize bounds a cache; it is emptied when full.
const cacheSize = 1000

func newCache[V any](ttl time.Duration) *cache[V] {
	return &cache[V]{ttl: ttl, values: map[string]cached[V]{}}
}

func (c *cache[V]) get(key string, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[key]
	if age := now.Sub(v.at); !ok || age < 0 || age >= c.ttl {
		var zero V
		return zero, false
	}
	return v.value, true
}

func (c *cache[V]) put(key string, v V, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.values) >= cacheSize {
		clear(c.values)
	}
	c.values[key] = cached[V]{v, now}
}

func (c *cache[V]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.values, key)
}
