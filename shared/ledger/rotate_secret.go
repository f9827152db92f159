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

// RotateSigningSecret makes fresh the client's newest signing secret. The one
// before goes on signing, beside it, until until, which lies MinOverlap to
// MaxOverlap after now; any older one ends at once. It returns the client as
// it is from then on. ErrRotation: the overlap is out of bounds, or fresh is
// empty or in use. ErrStale: the client has changed since it was read.
//
// After any other error the secret may have been stored or not: keep fresh
// until Client says which.
func (l *Ledger) RotateSigningSecret(ctx context.Context, c Client, fresh string, now, until time.Time) (Client, error) {
	until = Clock(until)
	if err := checkRotation(fresh, now, until, c.SigningSecrets...); err != nil {
		return Client{}, err
	}
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

// checkRotation returns ErrRotation for a rotation that is not allowed: to one
// of those held, or with an overlap out of bounds.
func checkRotation(fresh string, now, until time.Time, held ...string) error {
	if overlap := until.Sub(Clock(now)); overlap < MinOverlap || overlap > MaxOverlap {
		return fmt.Errorf("%w: the old one must live for %s to %s more, not %s", ErrRotation, MinOverlap, MaxOverlap, overlap)
	}
	if fresh == "" {
		return fmt.Errorf("%w: the new one is empty", ErrRotation)
	}
	if slices.Contains(held, fresh) {
		return fmt.Errorf("%w: the new one is in use", ErrRotation)
	}
	return nil
}

// EndOldSecret ends the old signing secret of a rotation now (elsewhere:
// within ClientFresh). Without one there is nothing to do. ErrStale: the
// client has changed since it was read.
func (l *Ledger) EndOldSecret(ctx context.Context, c Client, now time.Time) (Client, error) {
	if len(c.SigningSecrets) < 2 {
		return c, nil
	}
	c.SigningSecrets, c.OldSecretUntil = c.SigningSecrets[:1:1], time.Time{}
	return l.putClient(ctx, c, l.clientAudit(c, Clock(now), "end-old-secret", "the old secret has ended"))
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
