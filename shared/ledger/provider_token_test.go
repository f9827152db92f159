package ledger_test

import (
	"strings"
	"testing"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/providertest"
)

func TestProviderTokensContract(t *testing.T) {
	t.Parallel()
	providertest.RunTokenStore(t, func(t *testing.T, now func() time.Time) provider.TokenStore {
		return newBooks(t, nil).ProviderTokens(now)
	})
}

// A token sealed under a key that is gone is no token: the next refresh
// replaces it.
func TestProviderTokenUnderAnotherKey(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	store := b.ProviderTokens(func() time.Time { return start })
	fence, _, err := store.AcquireRefresh(t.Context(), "id", time.Minute, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Save(t.Context(), "id", fence, provider.StoredToken{Token: strings.Repeat("t", 3000), IssuedAt: start, ExpiresAt: start.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	b.corrupt(t, "token", "access_token_sealed", "v1.00000000.AAAA")
	if got, err := store.Load(t.Context(), "id"); err != nil || got.Token != "" {
		t.Errorf("%v, %v", got.Token, err)
	}
	if _, ok, err := store.AcquireRefresh(t.Context(), "id", time.Minute, false); err != nil || !ok {
		t.Errorf("a refresh: %t, %v", ok, err)
	}
}

// A lease from a clock that ran ahead blocks nobody for longer than a lease.
func TestProviderTokenLeaseFromTheFuture(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	ahead := b.ProviderTokens(func() time.Time { return start.Add(24 * time.Hour) })
	if _, ok, err := ahead.AcquireRefresh(t.Context(), "id", time.Minute, false); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := b.ProviderTokens(func() time.Time { return start }).AcquireRefresh(t.Context(), "id", time.Minute, false); err != nil || !ok {
		t.Errorf("%t, %v", ok, err)
	}
}
