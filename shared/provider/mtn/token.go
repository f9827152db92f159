package mtn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

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

	tokenTimeout = 8 * time.Second
	// earlyTimeout bounds a refresh that a still valid token does not need.
	earlyTimeout = 3 * time.Second
	// refreshLease outlives the token call and the store's write.
	refreshLease = tokenTimeout + 4*time.Second
	// refreshPatience is how long a caller without a valid token waits for
	// another holder; it outlives a lease whose holder died.
	refreshPatience = refreshLease + 2*time.Second
	storeTimeout    = 2 * time.Second

	// After a failure nobody in this process asks again for a moment: those
	// who waited share it instead of repeating it one by one.
	afterCredentials = 5 * time.Second
	afterUnavailable = time.Second
	// afterEarly spaces early attempts while the old token still serves.
	afterEarly = 10 * time.Second

	unknownLife = 5 * time.Minute
	longestLife = 24 * time.Hour
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
	// jitter draws from [0,d).
	jitter func(d time.Duration) time.Duration

	// gate is held by the one goroutine of this process that refreshes.
	gate chan struct{}

	mu       sync.Mutex
	current  provider.StoredToken
	rejected string    // a token that MTN answered with 401; never used again
	quiet    time.Time // no refresh before this
	failure  error     // why not
}

func newTokens(id string, store provider.TokenStore, fetch func(context.Context, *wire.Trail, time.Duration) (provider.StoredToken, error), now func() time.Time, jitter func(time.Duration) time.Duration) *tokens {
	return &tokens{id: id, store: store, fetch: fetch, now: now, jitter: jitter, gate: make(chan struct{}, 1)}
}

// get returns a token that MTN should take. The error wraps
// provider.ErrCredentials or provider.ErrUnavailable.
func (t *tokens) get(ctx context.Context, tr *wire.Trail) (string, error) {
	token, done, err := t.ready()
	if done {
		return token, err
	}
	if token != "" {
		// Still valid: one goroutine refreshes, the others go on with it.
		select {
		case t.gate <- struct{}{}:
		default:
			return token, nil
		}
	} else {
		if err := ctx.Err(); err != nil { // a select would toss a coin
			return "", fmt.Errorf("%w: no MTN token: %w", provider.ErrUnavailable, err)
		}
		select {
		case t.gate <- struct{}{}:
		case <-ctx.Done():
			return "", fmt.Errorf("%w: no MTN token: %w", provider.ErrUnavailable, ctx.Err())
		}
	}
	defer func() { <-t.gate }()
	if token, done, err = t.ready(); done { // whoever held the gate has been there
		return token, err
	}
	return t.refresh(ctx, tr)
}

// ready answers from memory. done is false when a refresh is due; token is
// then the old one if that is still valid.
func (t *tokens) ready() (token string, done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	switch {
	case fresh(t.current, now):
		return t.current.Token, true, nil
	case usable(t.current, now):
		return t.current.Token, now.Before(t.quiet), nil
	case now.Before(t.quiet) && t.failure != nil:
		return "", true, t.failure
	}
	return "", false, nil
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

// adopt takes a stored token into memory unless it is the refused one or
// older than the one in hand. It returns it if no refresh is due.
func (t *tokens) adopt(stored provider.StoredToken) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if stored.Token == t.rejected || !usable(stored, now) || stored.ExpiresAt.Before(t.current.ExpiresAt) {
		return "", false
	}
	t.current = stored
	return stored.Token, fresh(stored, now)
}

// held is the token in hand if it is still valid, else empty.
func (t *tokens) held() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !usable(t.current, t.now()) {
		return ""
	}
	return t.current.Token
}

// failed ends a refresh that brought nothing: with the old token if it is
// still valid, else with the error.
func (t *tokens) failed(err error, pause time.Duration) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if usable(t.current, now) {
		t.quiet, t.failure = now.Add(afterEarly), nil
		return t.current.Token, nil
	}
	if pause > 0 {
		t.quiet, t.failure = now.Add(pause), err
	}
	return "", err
}

// refresh gets a new token through the store; the caller holds the gate.
func (t *tokens) refresh(ctx context.Context, tr *wire.Trail) (string, error) {
	unavailable := func(err error) (string, error) {
		return t.failed(fmt.Errorf("%w: MTN token store: %w", provider.ErrUnavailable, err), 0)
	}
	wait, cancel := context.WithTimeout(ctx, refreshPatience)
	defer cancel()
	for {
		stored, err := t.store.Load(wait, t.id)
		if err != nil {
			return unavailable(err)
		}
		if token, ok := t.adopt(stored); ok {
			return token, nil
		}
		fence, ok, err := t.store.AcquireRefresh(wait, t.id, refreshLease)
		switch {
		case err != nil:
			return unavailable(err)
		case ok:
			return t.renew(ctx, tr, fence)
		case t.held() != "":
			// Somebody else is at it; the old token serves meanwhile.
			return t.failed(fmt.Errorf("%w: MTN token ended during its refresh", provider.ErrUnavailable), 0)
		}
		if !wire.Pause(wait, 100*time.Millisecond+t.jitter(200*time.Millisecond)) {
			return unavailable(fmt.Errorf("another process holds the refresh: %w", wait.Err()))
		}
	}
}

// renew asks MTN for a token and stores it; the caller holds the lease.
func (t *tokens) renew(ctx context.Context, tr *wire.Trail, fence int64) (string, error) {
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
	if stored, err := t.store.Load(ctx, t.id); err == nil {
		if token, ok := t.adopt(stored); ok {
			release()
			return token, nil
		}
	}
	timeout := tokenTimeout
	if t.held() != "" {
		timeout = earlyTimeout
	}
	token, err := t.fetch(ctx, tr, timeout)
	if err != nil {
		release()
		quiet := afterUnavailable
		switch {
		case errors.Is(err, provider.ErrCredentials):
			quiet = afterCredentials
		case ctx.Err() != nil:
			quiet = 0 // the caller's own deadline says nothing about MTN
		}
		return t.failed(err, quiet)
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

// fetchToken asks MTN for a token, once. The body is empty: of those seen to
// work it is the only one that ERR82 does not speak against.
func (p *Provider) fetchToken(ctx context.Context, tr *wire.Trail, timeout time.Duration) (provider.StoredToken, error) {
	asked := p.now() // its life counts from here: never longer than MTN's
	r := p.client.Do(ctx, tr, wire.Call{
		Method: http.MethodPost,
		Path:   "/collection/token/",
		Headers: map[string]string{
			"Authorization":             p.basic,
			"X-Target-Environment":      p.cfg.TargetEnvironment, // the new platform wants it here, too
			"Ocp-Apim-Subscription-Key": p.cfg.SubscriptionKey,
		},
		Record: hideToken,
	}, timeout)
	switch {
	case r.Code == 0:
		return provider.StoredToken{}, fmt.Errorf("%w: no answer to MTN token call (%s)", provider.ErrUnavailable, r.Class)
	case r.Code != http.StatusOK && credentialsWord(r) != "":
		// A wrong API user or key is an HTTP 500 login_failed, and a 401
		// invalid_client on the new platform (observed).
		return provider.StoredToken{}, fmt.Errorf("%w: MTN token call: %s", provider.ErrCredentials, credentialsWord(r))
	case r.Code == http.StatusUnauthorized:
		return provider.StoredToken{}, fmt.Errorf("%w: MTN token call: HTTP 401", provider.ErrCredentials)
	case r.Code != http.StatusOK || r.Class != "":
		return provider.StoredToken{}, fmt.Errorf("%w: MTN token call: HTTP %d %s", provider.ErrUnavailable, r.Code, r.Class)
	}
	// A 200 may be the HTML page of a firewall (observed).
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return provider.StoredToken{}, fmt.Errorf("%w: MTN token call: HTTP 200 that is not a JSON object", provider.ErrUnavailable)
	}
	token, _ := body.Text("access_token")
	if !wire.VisibleASCII(token) || len(token) > 16<<10 {
		return provider.StoredToken{}, fmt.Errorf("%w: MTN token call: HTTP 200 without a token", provider.ErrUnavailable)
	}
	life := unknownLife
	if text, ok := body.Text("expires_in"); ok {
		if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds > 0 {
			life = min(time.Duration(seconds)*time.Second, longestLife)
		}
	}
	return provider.StoredToken{Token: token, IssuedAt: asked, ExpiresAt: asked.Add(life)}, nil
}

// credentialsWord is MTN's word for refused credentials; empty: it said none.
func credentialsWord(r wire.Reply) string {
	body, err := wire.ReadObject(r.Body)
	if err != nil {
		return ""
	}
	switch word, _ := body.Text("error"); word {
	case "login_failed", "invalid_client":
		return word
	}
	return ""
}
