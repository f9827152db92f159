package providertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"momoproxy/shared/provider"
)

// MemoryTokens is a provider.TokenStore for one process that keeps nothing: for tests
// and tools. Several Providers may share it as functions share a table.
type MemoryTokens struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*memoryToken
}

type memoryToken struct {
	token provider.StoredToken
	fence int64     // of the latest lease granted
	until time.Time // zero: that lease has ended
}

var _ provider.TokenStore = (*MemoryTokens)(nil)

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

// Load implements provider.TokenStore.
func (m *MemoryTokens) Load(ctx context.Context, id string) (provider.StoredToken, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.entry(id).token, ctx.Err()
}

// AcquireRefresh implements provider.TokenStore.
func (m *MemoryTokens) AcquireRefresh(ctx context.Context, id string, lease time.Duration, takeOver bool) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, now := m.entry(id), m.now()
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	if now.Before(e.until) && !takeOver {
		return 0, false, nil
	}
	e.fence++
	e.until = now.Add(lease)
	return e.fence, true, nil
}

// Save implements provider.TokenStore.
func (m *MemoryTokens) Save(ctx context.Context, id string, fence int64, token provider.StoredToken) error {
	return m.end(ctx, id, fence, &token)
}

// Release implements provider.TokenStore.
func (m *MemoryTokens) Release(ctx context.Context, id string, fence int64) error {
	return m.end(ctx, id, fence, nil)
}

func (m *MemoryTokens) end(ctx context.Context, id string, fence int64, token *provider.StoredToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(id)
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.fence != fence || e.until.IsZero() {
		return fmt.Errorf("%w: %s", provider.ErrFenced, id)
	}
	e.until = time.Time{}
	if token != nil {
		e.token = *token
	}
	return nil
}
