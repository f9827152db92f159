package testbed

import (
	"context"
	"errors"
	"fmt"

	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
)

// tokens lets the MTN adapter use the ledger's token store.
type tokens struct{ provider.TokenStore }

func (t tokens) Load(ctx context.Context, id string) (mtn.StoredToken, error) {
	stored, err := t.TokenStore.Load(ctx, id)
	return mtn.StoredToken(stored), err
}

func (t tokens) Save(ctx context.Context, id string, fence int64, token mtn.StoredToken) error {
	return fenced(t.TokenStore.Save(ctx, id, fence, provider.StoredToken(token)))
}

func (t tokens) Release(ctx context.Context, id string, fence int64) error {
	return fenced(t.TokenStore.Release(ctx, id, fence))
}

func fenced(err error) error {
	if errors.Is(err, provider.ErrFenced) {
		return fmt.Errorf("%w: %w", mtn.ErrFenced, err)
	}
	return err
}
