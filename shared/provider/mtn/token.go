package mtn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/wire"
)

const (
	// refreshEarly: MTN asks for a refresh ten minutes before a token's end
	// (BP93; a token lives 3600 s). Shorter lives are refreshed after five
	// sixths, so that they do not count as old from the start.
	refreshEarly = 10 * time.Minute
	// lastUse: a token this close to its end may end on the way to MTN.
	lastUse = 30 * time.Second

	// leaseMargin is for the store's writes: a lease outlives its token call.
	leaseMargin  = 4 * time.Second
	storeTimeout = 2 * time.Second

	// After a failure no request of this process asks again for a moment:
	// those who waited share it instead of repeating it one by one.
	afterCredentials = 5 * time.Second
	afterUnavailable = time.Second

	unknownLife = 5 * time.Minute
	longestLife = 24 * time.Hour
)

// caller says who wants a token, and how long that one waits: for MTN's
// answer, or for another caller's.
type caller struct {
	schedule bool
	wait     time.Duration
}

var (
	// byRequest takes any token that MTN still takes. Without one it asks MTN
	// itself, but a payer does not wait for long.
	byRequest = caller{wait: 3 * time.Second}
	// bySchedule refreshes a token before anybody needs a new one. MTN's new
	// platform takes 10 to 20 seconds for that (observed).
	bySchedule = caller{schedule: true, wait: 25 * time.Second}
)

// fresh: to be used without a thought.
func fresh(t provider.StoredToken, now time.Time) bool {
	early := min(refreshEarly, t.ExpiresAt.Sub(t.IssuedAt)/6)
	return t.Token != "" && now.Before(t.ExpiresAt.Add(-early))
}

// usable: MTN still takes it.
func usable(t provider.StoredToken, now time.Time) bool {
	margin := min(lastUse, t.ExpiresAt.Sub(t.IssuedAt)/6)
	return t.Token != "" && now.Before(t.ExpiresAt.Add(-margin))
}

// tokens hands out the bearer token: from memory, else from the store, else
// from MTN, where one caller at a time over all processes asks for it.
type tokens struct {
	id    string
	store provider.TokenStore
	fetch func(context.Context, *wire.Trail, time.Duration) (provider.StoredToken, error)
	now   func() time.Time
	host  host.Host

	// refreshing is held by the one request of this process that refreshes.
	refreshing host.Lock

	mu       sync.Mutex
	current  provider.StoredToken
	rejected string    // a token that MTN answered with 401; never used again
	quiet    time.Time // no refresh before this
	failure  error     // why not
}

func newTokens(id string, store provider.TokenStore, fetch func(context.Context, *wire.Trail, time.Duration) (provider.StoredToken, error), now func() time.Time, h host.Host) *tokens {
	return &tokens{id: id, store: store, fetch: fetch, now: now, host: h, refreshing: h.NewLock()}
}

// get returns a token that MTN should take. The error wraps
// provider.ErrCredentials or provider.ErrUnavailable.
func (t *tokens) get(ctx context.Context, tr *wire.Trail, by caller) (string, error) {
	if !by.schedule {
		if token, done, err := t.ready(by); done {
			return token, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, by.wait)
	defer cancel()
	if by.schedule {
		// What counts is what is stored: memory may hold what was never
		// stored, or what another process was refused. Requests, each with too
		// little time, would keep it waiting.
		return t.refresh(ctx, tr, by)
	}
	if err := t.refreshing.Acquire(ctx); err != nil {
		return "", fmt.Errorf("%w: no MTN token: %w", provider.ErrUnavailable, err)
	}
	defer t.refreshing.Release()
	if token, done, err := t.ready(by); done { // whoever refreshed before has been there
		return token, err
	}
	return t.refresh(ctx, tr, by)
}

// ready answers a request from memory. done is false when it has to get a token.
func (t *tokens) ready(by caller) (token string, done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	switch {
	case t.serves(t.current, now, by):
		return t.current.Token, true, nil
	case now.Before(t.quiet):
		return "", true, t.failure
	}
	return "", false, nil
}

// serves says whether a token will do for the caller.
func (t *tokens) serves(token provider.StoredToken, now time.Time, by caller) bool {
	return token.Token != t.rejected && usable(token, now) && (fresh(token, now) || !by.schedule)
}

// discard forgets exactly this token, which MTN has refused. A newer one,
// here or in the store, is untouched.
func (t *tokens) discard(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rejected = token
	if t.current.Token == token {
		t.current = provider.StoredToken{}
	}
}

// aged is a stored token that MTN has refused here, with so little life left
// that the schedule replaces it. Others may still use it.
func (t *tokens) aged(stored provider.StoredToken) (_ provider.StoredToken, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if stored.Token == "" || stored.Token != t.rejected || !usable(stored, now) {
		return stored, false
	}
	if end := now.Add(refreshEarly); stored.ExpiresAt.After(end) {
		stored.ExpiresAt = end
	}
	stored.IssuedAt = stored.ExpiresAt.Add(-6 * refreshEarly)
	return stored, true
}

// adopt takes a stored token into memory if it will do for the caller.
func (t *tokens) adopt(stored provider.StoredToken, by caller) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.serves(stored, t.now(), by) {
		return false
	}
	t.current = stored
	return true
}

// refresh gets a token through the store; a request holds t.refreshing.
func (t *tokens) refresh(ctx context.Context, tr *wire.Trail, by caller) (string, error) {
	for {
		stored, err := t.store.Load(ctx, t.id)
		if err != nil {
			return "", storeError(err)
		}
		if t.adopt(stored, by) {
			return stored.Token, nil
		}
		// The schedule does not wait for a request's call, which may be too
		// short to bring anything.
		fence, ok, err := t.store.AcquireRefresh(ctx, t.id, by.wait+leaseMargin, by.schedule)
		if err != nil {
			return "", storeError(err)
		}
		if ok {
			return t.renew(ctx, tr, fence, by)
		}
		wait := 100*time.Millisecond + time.Duration(t.host.Jitter()*float64(200*time.Millisecond))
		if err := t.host.Sleep(ctx, wait); err != nil {
			return "", storeError(fmt.Errorf("another process holds the refresh: %w", err))
		}
	}
}

func storeError(err error) error {
	return fmt.Errorf("%w: MTN token store: %w", provider.ErrUnavailable, err)
}

// renew asks MTN for a token and stores it; the caller holds the lease.
func (t *tokens) renew(ctx context.Context, tr *wire.Trail, fence int64, by caller) (string, error) {
	// The lease is given back and the token stored even if ctx ends: others
	// wait for them.
	store := func(f func(context.Context) error) {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
		defer cancel()
		// Only a cache fails here. The token in hand is good all the same,
		// and a lease that is not given back lapses.
		_ = f(after)
	}
	release := func() {
		store(func(c context.Context) error { return t.store.Release(c, t.id, fence) })
	}
	// The last holder may have stored its token between our look and our lease.
	stored, err := t.store.Load(ctx, t.id)
	if err == nil && t.adopt(stored, by) {
		release()
		return stored.Token, nil
	}
	token, err := t.fetch(ctx, tr, by.wait)
	if err != nil {
		if old, refused := t.aged(stored); refused {
			store(func(c context.Context) error { return t.store.Save(c, t.id, fence, old) })
		} else {
			release()
		}
		t.failed(ctx, err)
		return "", err
	}
	t.mu.Lock()
	t.current, t.quiet, t.failure = token, time.Time{}, nil
	if t.rejected == token.Token {
		t.rejected = "" // MTN itself says that it is good
	}
	t.mu.Unlock()
	store(func(c context.Context) error { return t.store.Save(c, t.id, fence, token) })
	return token.Token, nil
}

// failed shares a failure with the requests of the next moment.
func (t *tokens) failed(ctx context.Context, err error) {
	pause := afterUnavailable
	if errors.Is(err, provider.ErrCredentials) {
		pause = afterCredentials
	} else if ctx.Err() != nil {
		return // the caller's own deadline says nothing about MTN
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.quiet, t.failure = t.now().Add(pause), err
}
