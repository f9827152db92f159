package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
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
// empty or in use. ErrStale: the client has changed since it was read.
//
// After any other error it may have been stored or not: keep Fresh until
// Client says which.
func (l *Ledger) Rotate(ctx context.Context, c Client, r Rotation) (Client, error) {
	r.Until = Clock(r.Until)
	held, rotate := []string{c.APIKey, c.OldAPIKey}, l.rotateKey
	if r.Of == SigningSecret {
		held, rotate = c.SigningSecrets, l.rotateSecret
	}
	overlap := r.Until.Sub(Clock(r.Now))
	switch {
	case overlap < MinOverlap || overlap > MaxOverlap:
		return Client{}, fmt.Errorf("%w: the old one must live for %s to %s more, not %s", ErrRotation, MinOverlap, MaxOverlap, overlap)
	case r.Fresh == "":
		return Client{}, fmt.Errorf("%w: the new one is empty", ErrRotation)
	case slices.Contains(held, r.Fresh):
		return Client{}, fmt.Errorf("%w: the new one is in use", ErrRotation)
	}
	return rotate(ctx, c, r)
}

// EndOld ends the old key or secret of a rotation now (elsewhere: within
// ClientFresh). Without one there is nothing to do. ErrStale: the client has
// changed since it was read.
func (l *Ledger) EndOld(ctx context.Context, c Client, of Rotated, now time.Time) (Client, error) {
	if of == APIKey {
		return l.endOldKey(ctx, c, now)
	}
	if len(c.SigningSecrets) < 2 {
		return c, nil
	}
	c.SigningSecrets, c.OldSecretUntil = c.SigningSecrets[:1:1], time.Time{}
	return l.putClient(ctx, c, l.clientAudit(c, Clock(now), "end-old-secret", "the old secret has ended"))
}

func (l *Ledger) rotateSecret(ctx context.Context, c Client, r Rotation) (Client, error) {
	fresh, now, until := r.Fresh, r.Now, r.Until
	secrets := []string{fresh}
	note := "a new secret from now on"
	if len(c.SigningSecrets) > 0 {
		secrets = append(secrets, c.SigningSecrets[0])
		note += "; the old one until " + timeKey(until)
	}
	c.SigningSecrets, c.OldSecretUntil = secrets, until // a new slice: caches share the old one
	after, err := l.putClient(ctx, c, l.clientAudit(c, Clock(now), "rotate-secret", note))
	if err == nil {
		return after, nil
	}
	// A write that seemed to fail, or met itself when it was repeated, may
	// have been done. To call that a failure would lose fresh, and the next
	// rotation would end the only secret that the app knows.
	if stored, readErr := l.Client(ctx, c.ID); readErr == nil && len(stored.SigningSecrets) > 0 && stored.SigningSecrets[0] == fresh {
		return stored, nil
	}
	return Client{}, fmt.Errorf("rotate signing secret: %w", err)
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
