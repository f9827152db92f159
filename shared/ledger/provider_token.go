package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"momoproxy/shared/provider"
	"momoproxy/shared/table"
)

// ProviderTokens is provider.TokenStore over the ledger: one token per
// account for all functions, sealed, with one refresh at a time.
func (l *Ledger) ProviderTokens(now func() time.Time) provider.TokenStore {
	return providerTokens{l, now}
}

type providerTokens struct {
	ledger *Ledger
	now    func() time.Time
}

func tokenOwner(id string) string { return "token:" + id }

// read returns the record as it stands, or an empty one to be made.
func (t providerTokens) read(ctx context.Context, id string) (*reader, error) {
	rec, err := t.ledger.getOrNew(ctx, "read provider token", tokenKey(id))
	if rec.Attributes == nil {
		rec.Attributes = map[string]any{}
	}
	return &reader{rec: rec}, err
}

// Load implements provider.TokenStore. A token that cannot be opened (the
// sealing key has changed) is no token.
func (t providerTokens) Load(ctx context.Context, id string) (provider.StoredToken, error) {
	r, err := t.read(ctx, id)
	if err != nil {
		return provider.StoredToken{}, err
	}
	stored := provider.StoredToken{IssuedAt: r.time("issued_at"), ExpiresAt: r.time("expires_at_time")}
	sealed := r.text("access_token_sealed")
	if r.err != nil || sealed == "" {
		return provider.StoredToken{}, r.err
	}
	plain, err := t.ledger.sealer.Open(sealed, tokenOwner(id))
	if err != nil {
		return provider.StoredToken{}, nil
	}
	stored.Token = string(plain)
	return stored, nil
}

// AcquireRefresh implements provider.TokenStore. The record's version is the
// fence: every write of it raises it.
func (t providerTokens) AcquireRefresh(ctx context.Context, id string, lease time.Duration, takeOver bool) (int64, bool, error) {
	r, err := t.read(ctx, id)
	if err != nil {
		return 0, false, err
	}
	now := t.now()
	if until := r.time("lease_until"); !takeOver && now.Before(until) && until.Sub(now) <= provider.LongestLease {
		return 0, false, r.err
	}
	r.rec.Attributes = maps.Clone(r.rec.Attributes)
	r.rec.Attributes["lease_until"] = timeKey(now.Add(lease))
	err = t.ledger.table.Write(ctx, table.Put(r.rec))
	switch {
	case err == nil:
		return r.rec.Version + 1, true, nil
	case errors.Is(err, table.ErrConflict):
		return 0, false, nil
	default:
		return 0, false, fmt.Errorf("lease provider token: %w", err)
	}
}

// Save implements provider.TokenStore.
func (t providerTokens) Save(ctx context.Context, id string, fence int64, token provider.StoredToken) error {
	sealed, err := t.ledger.sealer.Seal([]byte(token.Token), tokenOwner(id))
	if err != nil {
		return fmt.Errorf("seal provider token: %w", err)
	}
	return t.end(ctx, id, fence, writeFields(3, func(f fields) {
		f.text("access_token_sealed", &sealed)
		f.time("issued_at", &token.IssuedAt)
		f.time("expires_at_time", &token.ExpiresAt)
	}))
}

// Release implements provider.TokenStore.
func (t providerTokens) Release(ctx context.Context, id string, fence int64) error {
	r, err := t.read(ctx, id)
	if err != nil {
		return err
	}
	w := maps.Clone(r.rec.Attributes)
	delete(w, "lease_until")
	return t.end(ctx, id, fence, w)
}

// end writes the record under the fence and without a lease.
func (t providerTokens) end(ctx context.Context, id string, fence int64, attributes map[string]any) error {
	err := t.ledger.table.Write(ctx, table.Put(table.Record{Key: tokenKey(id), Version: fence, Attributes: attributes}))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, table.ErrConflict):
		return fmt.Errorf("%w: %v", provider.ErrFenced, err)
	default:
		return fmt.Errorf("store provider token: %w", err)
	}
}
