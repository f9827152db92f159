package mtn

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MemoryTokens is a TokenStore for one process that keeps nothing: for tests
// and tools. Several Providers may share it as functions share a table.
type MemoryTokens struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*memoryToken
}

type memoryToken struct {
	token StoredToken
	fence int64     // of the latest lease granted
	until time.Time // zero: that lease has ended
}

var _ TokenStore = (*MemoryTokens)(nil)

// NewMemoryTokens makes an empty store whose leases run by now (nil:
// time.Now).
func NewMemoryTokens(now func() time.Time) *MemoryTokens {
	if now == nil {
		now = time.Now
	}
	return &MemoryTokens{now: now, entries: map[string]*memoryToken{}}
}

func (m *MemoryTokens) entry(id string) *memoryToken {
	e, ok := m.entries[id]
	if !ok {
		e = &memoryToken{}
		m.entries[id] = e
	}
	return e
}

// Load implements TokenStore.
func (m *MemoryTokens) Load(ctx context.Context, id string) (StoredToken, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entry(id).token, ctx.Err()
}

// AcquireRefresh implements TokenStore.
func (m *MemoryTokens) AcquireRefresh(ctx context.Context, id string, lease time.Duration) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, now := m.entry(id), m.now()
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	if now.Before(e.until) {
		return 0, false, nil
	}
	e.fence++
	e.until = now.Add(lease)
	return e.fence, true, nil
}

// Save implements TokenStore.
func (m *MemoryTokens) Save(ctx context.Context, id string, fence int64, token StoredToken) error {
	return m.end(ctx, id, fence, &token)
}

// Release implements TokenStore.
func (m *MemoryTokens) Release(ctx context.Context, id string, fence int64) error {
	return m.end(ctx, id, fence, nil)
}

func (m *MemoryTokens) end(ctx context.Context, id string, fence int64, token *StoredToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(id)
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.fence != fence || e.until.IsZero() {
		return fmt.Errorf("%w: %s", ErrFenced, id)
	}
	e.until = time.Time{}
	if token != nil {
		e.token = *token
	}
	return nil
}
