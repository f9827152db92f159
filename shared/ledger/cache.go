package ledger

import (
	"sync"
	"time"
)

// cache keeps a few values of a kind for a short time within one process. The
// table stays the truth: a caller reads from a cache where an answer so old is
// good enough. An age is measured twice, by the caller's clock and by the
// process's own, which goes on evenly when the caller's is set: a value that
// was read while that clock was ahead is otherwise young again later.
type cache[V any] struct {
	mu     sync.Mutex
	ttl    time.Duration
	own    func() time.Time
	values map[string]cached[V]
}

type cached[V any] struct {
	value   V
	at, own time.Time
}

// cacheSize bounds a cache; it is emptied when full.
const cacheSize = 1000

func newCache[V any](ttl time.Duration, own func() time.Time) *cache[V] {
	return &cache[V]{ttl: ttl, own: own, values: map[string]cached[V]{}}
}

func (c *cache[V]) get(key string, now time.Time) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[key]
	if !ok || !c.young(now.Sub(v.at)) || !c.young(c.own().Sub(v.own)) {
		var zero V
		return zero, false
	}
	return v.value, true
}

func (c *cache[V]) young(age time.Duration) bool { return age >= 0 && age < c.ttl }

func (c *cache[V]) put(key string, v V, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.values) >= cacheSize {
		clear(c.values)
	}
	c.values[key] = cached[V]{v, now, c.own()}
}

func (c *cache[V]) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.values, key)
}
