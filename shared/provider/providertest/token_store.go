package providertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"momoproxy/shared/provider"
)

// TokenHarness makes an empty store whose leases run by now.
type TokenHarness func(t *testing.T, now func() time.Time) provider.TokenStore

const (
	tokenID    = "mtn/collection/sandbox/6f0c1a52-4a4e-4b8f-9a77-2f4e2f3a9c10/0123456789abcdef"
	tokenLease = 10 * time.Second
)

// RunTokenStore judges an adapter of provider.TokenStore.
func RunTokenStore(t *testing.T, h TokenHarness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, provider.TokenStore, *tokenClock){
		"Empty": empty, "SaveLoad": saveLoad, "OneLease": oneLease, "Lapse": lapse, "TakenOver": takenOver, "LateSave": lateSave,
		"Release": release, "Apart": apart, "Race": race, "Ended": ended,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &tokenClock{at: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)}
			test(t, h(t, c.now), c)
		})
	}
}

type tokenClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *tokenClock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *tokenClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func token(c *tokenClock, text string) provider.StoredToken {
	return provider.StoredToken{Token: text, IssuedAt: c.now(), ExpiresAt: c.now().Add(time.Hour)}
}

func same(a, b provider.StoredToken) bool {
	return a.Token == b.Token && a.IssuedAt.Equal(b.IssuedAt) && a.ExpiresAt.Equal(b.ExpiresAt)
}

func loads(t *testing.T, s provider.TokenStore, want provider.StoredToken) {
	t.Helper()
	got, err := s.Load(t.Context(), tokenID)
	if err != nil || !same(got, want) {
		t.Errorf("Load: %+v, %v; want %+v", got, err, want)
	}
}

func acquire(t *testing.T, s provider.TokenStore) int64 {
	t.Helper()
	fence, ok, err := s.AcquireRefresh(t.Context(), tokenID, tokenLease, false)
	if err != nil || !ok {
		t.Fatalf("AcquireRefresh: ok %t, %v", ok, err)
	}
	return fence
}

func refused(t *testing.T, s provider.TokenStore) {
	t.Helper()
	if _, ok, err := s.AcquireRefresh(t.Context(), tokenID, tokenLease, false); err != nil || ok {
		t.Errorf("a second lease: ok %t, %v", ok, err)
	}
}

func fenced(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, provider.ErrFenced) {
		t.Errorf("%s: %v, want ErrFenced", what, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func empty(t *testing.T, s provider.TokenStore, c *tokenClock) {
	loads(t, s, provider.StoredToken{})
	fenced(t, "Save without a lease", s.Save(t.Context(), tokenID, 1, token(c, "a")))
	fenced(t, "Release without a lease", s.Release(t.Context(), tokenID, 1))
	loads(t, s, provider.StoredToken{})
}

func saveLoad(t *testing.T, s provider.TokenStore, c *tokenClock) {
	first := token(c, "first")
	must(t, s.Save(t.Context(), tokenID, acquire(t, s), first))
	loads(t, s, first)
	c.pass(2 * time.Hour) // expired tokens are loaded too
	loads(t, s, first)
	fence := acquire(t, s)
	loads(t, s, first) // during the refresh as well
	second := token(c, "second")
	must(t, s.Save(t.Context(), tokenID, fence, second))
	loads(t, s, second)
	fenced(t, "Save twice under one lease", s.Save(t.Context(), tokenID, fence, first))
	loads(t, s, second)
}

func oneLease(t *testing.T, s provider.TokenStore, c *tokenClock) {
	fence := acquire(t, s)
	refused(t, s)
	c.pass(tokenLease - 2*time.Second)
	refused(t, s)
	must(t, s.Save(t.Context(), tokenID, fence, token(c, "a")))
	if next := acquire(t, s); next <= fence {
		t.Errorf("fence %d after %d", next, fence)
	}
}

// lapse: a holder that died does not stop the others, and cannot come back.
func lapse(t *testing.T, s provider.TokenStore, c *tokenClock) {
	old := acquire(t, s)
	c.pass(tokenLease + 2*time.Second)
	fence := acquire(t, s)
	if fence <= old {
		t.Errorf("fence %d after %d", fence, old)
	}
	fenced(t, "Save of the old holder", s.Save(t.Context(), tokenID, old, token(c, "old")))
	fenced(t, "Release of the old holder", s.Release(t.Context(), tokenID, old))
	refused(t, s)
	good := token(c, "good")
	must(t, s.Save(t.Context(), tokenID, fence, good))
	fenced(t, "Save of the old holder", s.Save(t.Context(), tokenID, old, token(c, "old")))
	loads(t, s, good)
}

// takenOver: the lease that ends another fences its holder off, and is one
// like any other.
func takenOver(t *testing.T, s provider.TokenStore, c *tokenClock) {
	old := acquire(t, s)
	fence, ok, err := s.AcquireRefresh(t.Context(), tokenID, tokenLease, true)
	if err != nil || !ok || fence <= old {
		t.Fatalf("AcquireRefresh: fence %d after %d, ok %t, %v", fence, old, ok, err)
	}
	refused(t, s)
	fenced(t, "Save of the old holder", s.Save(t.Context(), tokenID, old, token(c, "old")))
	fenced(t, "Release of the old holder", s.Release(t.Context(), tokenID, old))
	refused(t, s)
	good := token(c, "good")
	must(t, s.Save(t.Context(), tokenID, fence, good))
	loads(t, s, good)
}

func lateSave(t *testing.T, s provider.TokenStore, c *tokenClock) {
	fence := acquire(t, s)
	c.pass(2 * tokenLease)
	late := token(c, "late")
	must(t, s.Save(t.Context(), tokenID, fence, late))
	loads(t, s, late)
}

func release(t *testing.T, s provider.TokenStore, c *tokenClock) {
	first := token(c, "first")
	must(t, s.Save(t.Context(), tokenID, acquire(t, s), first))
	fence := acquire(t, s)
	must(t, s.Release(t.Context(), tokenID, fence))
	loads(t, s, first)
	fenced(t, "Save after Release", s.Save(t.Context(), tokenID, fence, token(c, "late")))
	fenced(t, "Release twice", s.Release(t.Context(), tokenID, fence))
	loads(t, s, first)
	if next := acquire(t, s); next <= fence {
		t.Errorf("fence %d after %d", next, fence)
	}
}

func apart(t *testing.T, s provider.TokenStore, c *tokenClock) {
	acquire(t, s)
	fence, ok, err := s.AcquireRefresh(t.Context(), tokenID+"0", tokenLease, false)
	if err != nil || !ok {
		t.Fatalf("another tokenID's lease: ok %t, %v", ok, err)
	}
	must(t, s.Save(t.Context(), tokenID+"0", fence, token(c, "other")))
	loads(t, s, provider.StoredToken{})
}

func race(t *testing.T, s provider.TokenStore, c *tokenClock) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var fences []int64
	for range 8 {
		wg.Go(func() {
			fence, ok, err := s.AcquireRefresh(t.Context(), tokenID, tokenLease, false)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if ok {
				fences = append(fences, fence)
			}
		})
	}
	wg.Wait()
	if len(fences) != 1 {
		t.Fatalf("%d leases at once", len(fences))
	}
	must(t, s.Save(t.Context(), tokenID, fences[0], token(c, "a")))
}

func ended(t *testing.T, s provider.TokenStore, c *tokenClock) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, tokenID); err == nil {
		t.Error("Load under an ended context is nil")
	}
	if _, ok, err := s.AcquireRefresh(ctx, tokenID, tokenLease, false); err == nil || ok {
		t.Error("AcquireRefresh under an ended context")
	}
}
