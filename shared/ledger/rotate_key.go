package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/table"
)

// rotateKey makes r.Fresh the newest API key; it may be in use by any client.
func (l *Ledger) rotateKey(ctx context.Context, c Client, r Rotation) (Client, error) {
	fresh, now, until := r.Fresh, r.Now, r.Until
	ended := c.OldAPIKey
	note := fmt.Sprintf("key %s from now on; %s until %s", Fingerprint(fresh), Fingerprint(c.APIKey), timeKey(until))
	if ended != "" {
		note += "; " + Fingerprint(ended) + " has ended"
	}
	c.OldAPIKey, c.APIKey, c.OldKeyUntil, c.newKeyUsed = c.APIKey, fresh, until, false
	lookup := keyLookup(fresh, c.ID, Clock(now))
	after, err := l.putClient(ctx, c, l.clientAudit(c, Clock(now), "rotate-key", note), table.Put(lookup))
	var conflict *table.ConflictError
	if err != nil {
		// As with a signing secret: what was stored counts, whatever the error.
		stored, readErr := l.Client(ctx, c.ID)
		switch {
		case readErr == nil && stored.APIKey == fresh:
			after = stored
		case errors.As(err, &conflict) && len(conflict.Ops) == 1 && conflict.Ops[0].Key == lookup.Key:
			return Client{}, fmt.Errorf("%w: the new one is in use", ErrRotation)
		default:
			return Client{}, fmt.Errorf("rotate api key: %w", err)
		}
	}
	l.forgetKey(ctx, ended)
	return after, nil
}

func (l *Ledger) endOldKey(ctx context.Context, c Client, now time.Time) (Client, error) {
	if c.OldAPIKey == "" {
		return c, nil
	}
	ended := c.OldAPIKey
	c.OldAPIKey, c.OldKeyUntil, c.newKeyUsed = "", time.Time{}, false
	after, err := l.putClient(ctx, c, l.clientAudit(c, Clock(now), "end-old-key", "key "+Fingerprint(ended)+" has ended"))
	if err == nil {
		l.forgetKey(ctx, ended)
	}
	return after, err
}

// forgetKey removes the look-up of a key that no client holds any more. One
// that stays behind opens nothing: the client's record decides.
func (l *Ledger) forgetKey(ctx context.Context, apiKey string) {
	if apiKey == "" {
		return
	}
	k := apiKeyKey(KeyHash(apiKey))
	l.clients.drop(KeyHash(apiKey))
	if rec, err := l.table.Get(ctx, k); err == nil {
		_ = l.table.Write(ctx, table.Delete(k, rec.Version))
	}
}

// holdsKey says whether the stored client may use the API key with this hash
// at now.
func (c Client) holdsKey(hash string, now time.Time) bool {
	return hash == c.keyHash || hash == c.oldKeyHash && now.Before(c.OldKeyUntil)
}

// LegacyKey is the API key that signs for the contract's X-MoMo-Proxy-Signature
// at now: the newest key that the app has used, for that one it surely has.
// During a rotation it is thus the old key until the app's first request with
// the new one, or until the old one ends.
func (c Client) LegacyKey(now time.Time) string {
	if !c.newKeyUsed && c.OldAPIKey != "" && now.Before(c.OldKeyUntil) {
		return c.OldAPIKey
	}
	return c.APIKey
}
