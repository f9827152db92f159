package httpapi

import (
	"context"
	"errors"

	"momoproxy/shared/ledger"
)

// maxAPIKey bounds a presented key, in bytes, before it is hashed.
const maxAPIKey = 256

// authenticate finds the active app a request comes from. The answer is the
// same for a missing, an unknown, an ended and an inactive key. The look-up is by the
// key's hash, so its time tells nothing about near misses.
func (a *API) authenticate(ctx context.Context, r Request) (ledger.Client, *Response) {
	key := header(r, "x-proxy-api-key")
	if key == "" || len(key) > maxAPIKey {
		return ledger.Client{}, unauthorized()
	}
	c, err := a.Ledger.ClientByKey(ctx, key, a.Now())
	if errors.Is(err, ledger.ErrNotFound) || (err == nil && !c.Active) {
		return ledger.Client{}, unauthorized()
	}
	if err != nil {
		a.Log.ErrorContext(ctx, "authenticate.failed", "error", err.Error())
		resp := fromError(err)
		return ledger.Client{}, &resp
	}
	quota := a.Limits.Take(c.ID, a.Now())
	noteQuota(ctx, quota)
	if !quota.OK {
		resp := retryAfter(problem(429, "rate_limited", "This app sends requests too fast; wait as long as Retry-After says."), quota.More)
		return ledger.Client{}, &resp
	}
	a.Ledger.NoteKeyUse(ctx, key, a.Now())
	return c, nil
}

func unauthorized() *Response {
	resp := problem(401, "unauthorized", "The header X-Proxy-Api-Key is missing, or its key is unknown or inactive.")
	return &resp
}
