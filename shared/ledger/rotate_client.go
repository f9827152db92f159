package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/table"
)

// The bounds of a rotation's overlap. A process may go on for ClientFresh and
// one attempt with a client read before the rotation, and so sign with the old
// secret alone: a shorter overlap than MinOverlap could not be kept.
const (
	MinOverlap     = time.Minute
	DefaultOverlap = 24 * time.Hour
	MaxOverlap     = 7 * 24 * time.Hour
)

// ErrRotation: a rotation that is not allowed. Nothing was written.
var ErrRotation = errors.New("no such rotation")

// Rotated is what of a client's can be rotated.
type Rotated int

const (
	APIKey Rotated = iota
	SigningSecret
)

// Rotation makes Fresh the newest at Now. The one before goes on working, beside
// it, until Until, which lies MinOverlap to MaxOverlap after Now.
type Rotation struct {
	Of         Rotated
	Fresh      string
	Now, Until time.Time
}

// Rotate rotates a client's API key or signing secret; any older one than the
// last ends at once (elsewhere: within ClientFresh). It returns the client as
// it is from then on. ErrRotation: the overlap is out of bounds, or Fresh is
// empty or in use; a key may be in use by any client. ErrStale: the client has
// changed since it was read.
//
// After any other error it may have been stored or not: keep Fresh until
// Client says which.
func (l *Ledger) Rotate(ctx context.Context, c Client, r Rotation) (Client, error) {
	fresh, now, until := r.Fresh, Clock(r.Now), Clock(r.Until)
	held := []string{c.APIKey, c.OldAPIKey}
	if r.Of == SigningSecret {
		held = c.SigningSecrets
	}
	switch overlap := until.Sub(now); {
	case overlap < MinOverlap || overlap > MaxOverlap:
		return Client{}, fmt.Errorf("%w: the old one must live for %s to %s more, not %s", ErrRotation, MinOverlap, MaxOverlap, overlap)
	case fresh == "":
		return Client{}, fmt.Errorf("%w: the new one is empty", ErrRotation)
	case slices.Contains(held, fresh):
		return Client{}, fmt.Errorf("%w: the new one is in use", ErrRotation)
	}
	ended, action, note := "", "rotate-secret", "a new secret from now on"
	lookup := keyLookup(fresh, c.ID, now)
	var more []table.Op
	if r.Of == APIKey {
		ended, action = c.OldAPIKey, "rotate-key"
		note = fmt.Sprintf("key %s from now on; %s until %s", Fingerprint(fresh), Fingerprint(c.APIKey), timeKey(until))
		if ended != "" {
			note += "; " + Fingerprint(ended) + " has ended"
		}
		c.OldAPIKey, c.APIKey, c.OldKeyUntil, c.newKeyUsed = c.APIKey, fresh, until, false
		more = append(more, table.Put(lookup))
	} else {
		secrets := []string{fresh} // a new slice: caches share the old one
		if len(c.SigningSecrets) > 0 {
			secrets = append(secrets, c.SigningSecrets[0])
			c.OldSecretUntil = until
			note += "; the old one until " + timeKey(until)
		}
		c.SigningSecrets = secrets
	}
	after, err := l.putClient(ctx, c, l.clientAudit(c, now, action, note), more...)
	if err != nil {
		// A write that seemed to fail, or met itself when it was repeated, may
		// have been done. To call that a failure would lose fresh, and the next
		// rotation would end the only one that the app knows.
		stored, readErr := l.Client(ctx, c.ID)
		var conflict *table.ConflictError
		switch {
		case readErr == nil && (stored.APIKey == fresh || len(stored.SigningSecrets) > 0 && stored.SigningSecrets[0] == fresh):
			after = stored
		case errors.As(err, &conflict) && len(conflict.Ops) == 1 && conflict.Ops[0].Key == lookup.Key:
			return Client{}, fmt.Errorf("%w: the new one is in use", ErrRotation)
		default:
			return Client{}, fmt.Errorf("rotate client %s: %w", c.ID, err)
		}
	}
	l.forgetKey(ctx, ended)
	return after, nil
}

// EndOld ends the old key or secret of a rotation now (elsewhere: within
// ClientFresh). Without one there is nothing to do. ErrStale: the client has
// changed since it was read.
func (l *Ledger) EndOld(ctx context.Context, c Client, of Rotated, now time.Time) (Client, error) {
	ended, action, note := "", "end-old-secret", "the old secret has ended"
	switch {
	case of == APIKey && c.OldAPIKey == "", of == SigningSecret && len(c.SigningSecrets) < 2:
		return c, nil
	case of == APIKey:
		ended, action, note = c.OldAPIKey, "end-old-key", "key "+Fingerprint(c.OldAPIKey)+" has ended"
		c.OldAPIKey, c.OldKeyUntil, c.newKeyUsed = "", time.Time{}, false
	default:
		c.SigningSecrets, c.OldSecretUntil = c.SigningSecrets[:1:1], time.Time{}
	}
	after, err := l.putClient(ctx, c, l.clientAudit(c, Clock(now), action, note))
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

// LiveSecrets are the secrets to sign with at now, newest first: the old one
// of a rotation is left out once its overlap has passed. Ask anew for each
// attempt, so that a client read before that moment does not outlive it.
func (c Client) LiveSecrets(now time.Time) []string {
	if len(c.SigningSecrets) > 1 && !now.Before(c.OldSecretUntil) {
		return c.SigningSecrets[:1:1]
	}
	return c.SigningSecrets
}
