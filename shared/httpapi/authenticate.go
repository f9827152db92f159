package httpapi

import (
	"context"
	"errors"
	"strings"

	"momoproxy/shared/ledger"
)

// maxAPIKey bounds a presented key, in bytes, before it is hashed.
const maxAPIKey = 256

// authenticate finds the active app a request comes from. The answer is the
// same for an unknown, an ended and an inactive key. The look-up is by the
// key's hash, so its time tells nothing about near misses.
func (a *Apps) authenticate(ctx context.Context, r Request) (ledger.Client, *Response) {
	key := header(r, "x-proxy-api-key")
	if why := noKey(r, key); why != "" {
		resp := problem(401, "unauthorized", why)
		return ledger.Client{}, &resp
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
	quota, err := a.Limits.Take(ctx, a.Ledger, c.ID, a.Now)
	if err != nil {
		a.Log.WarnContext(ctx, "limit.unshared", "client", c.ID, "error", err.Error())
	}
	noteQuota(ctx, quota)
	if !quota.OK {
		resp := retryAfter(problem(429, "rate_limited", "This app sends requests too fast; wait as long as Retry-After says."), quota.More)
		return ledger.Client{}, &resp
	}
	a.Ledger.NoteKeyUse(ctx, key, a.Now())
	return c, nil
}

func unauthorized() *Response {
	resp := problem(401, "unauthorized", "The key in X-Proxy-Api-Key is unknown or inactive.")
	return &resp
}

// noKey says why a request has no key at all; empty: it has one, which may be
// unknown.
func noKey(r Request, key string) string {
	if key == "" {
		for _, other := range []string{"Authorization", "X-Api-Key"} {
			if header(r, strings.ToLower(other)) != "" {
				return "The header X-Proxy-Api-Key is missing; a key in " + other + " is not read. Send it as X-Proxy-Api-Key."
			}
		}
		return "The header X-Proxy-Api-Key is missing."
	}
	if len(key) > maxAPIKey || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\'' }) {
		return "X-Proxy-Api-Key does not hold a key: send the key alone, without quotes, spaces or the word Bearer."
	}
	return ""
}
