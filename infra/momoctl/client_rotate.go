package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

func overlapFlag(c *cobra.Command, what string, overlap *time.Duration) {
	*overlap = ledger.DefaultOverlap
	c.Flags().Var((*length)(overlap), "overlap", "`time` for which the old "+what+" goes on, 1m to 7d")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *overlap < ledger.MinOverlap || *overlap > ledger.MaxOverlap {
			return usageError(fmt.Sprintf("--overlap must be %s to %s", ago(ledger.MinOverlap), ago(ledger.MaxOverlap)))
		}
		return nil
	}
}

func (c cli) clientRotateKey() *cobra.Command {
	var overlap time.Duration
	command := &cobra.Command{
		Use: "rotate-key ID", Short: "give a client a new API key",
		Long: `Prints the new API key once; it cannot be shown again. The old one works beside it until
the overlap is over, so the app may change at any time in it. X-MoMo-Proxy-Signature is
made with the old key until the app has used the new one, or the overlap is over.
Rotating again within the overlap ends the oldest key at once.`,
		Example: `  momoctl client rotate-key cli_0a1b --overlap 2d`,
		Args:    takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			fresh := ledger.NewAPIKey(s.random)
			return s.rotate(ctx, args[0], overlap, rotation{
				what: "API key", key: fresh, write: func(c ledger.Client, now, until time.Time) error {
					_, err := s.ledger.Rotate(ctx, c, ledger.Rotation{Of: ledger.APIKey, Fresh: fresh, Now: now, Until: until})
					return err
				},
			})
		}),
	}
	overlapFlag(command, "key", &overlap)
	return command
}

func (c cli) clientRotateSecret() *cobra.Command {
	var overlap time.Duration
	command := &cobra.Command{
		Use: "rotate-secret ID", Short: "give a client a new signing secret",
		Long: `Prints the new secret once; it cannot be shown again. Callbacks are signed with the
new and with the old one until the overlap is over, so the app may change at any
time in it. Rotating again within the overlap ends the oldest secret at once.
Takes effect within 10 seconds.`,
		Args: takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error {
			secret, err := webhook.NewSecret(s.random)
			if err != nil {
				return err
			}
			return s.rotate(ctx, args[0], overlap, rotation{
				what: "signing secret", secret: secret.Reveal(), write: func(c ledger.Client, now, until time.Time) error {
					_, err := s.ledger.Rotate(ctx, c, ledger.Rotation{Of: ledger.SigningSecret, Fresh: secret.Reveal(), Now: now, Until: until})
					return err
				},
			})
		}),
	}
	overlapFlag(command, "secret", &overlap)
	return command
}

// rotation is a new key or a new secret, and how it is stored.
type rotation struct {
	what, key, secret string
	write             func(c ledger.Client, now, until time.Time) error
}

// rotationView is a rotation as it is shown, once.
type rotationView struct {
	ID             string    `json:"id"`
	APIKey         string    `json:"apiKey,omitempty"`
	OldKeyUntil    time.Time `json:"oldKeyUntil,omitzero"`
	SigningSecret  string    `json:"signingSecret,omitempty"`
	OldSecretUntil time.Time `json:"oldSecretUntil,omitzero"`
	Stored         bool      `json:"stored"` // false: nobody knows
}

func (s *session) rotate(ctx context.Context, id string, overlap time.Duration, r rotation) error {
	c, err := s.client(ctx, id)
	if err != nil {
		return err
	}
	now := s.clock()
	until := now.Add(overlap)
	failed := r.write(c, now, until)
	if errors.Is(failed, ledger.ErrStale) || errors.Is(failed, ledger.ErrRotation) {
		return failed // nothing was written
	}
	v := rotationView{ID: id, APIKey: r.key, SigningSecret: r.secret, Stored: failed == nil}
	if r.key != "" {
		v.OldKeyUntil = until
	} else {
		v.OldSecretUntil = until
	}
	err = s.answer(v, func(t *text) {
		if v.Stored {
			t.line("Client %s has a new %s.", id, r.what)
		} else {
			t.line("Whether client %s has this new %s is not known. Keep both, and see which of them works.", id, r.what)
		}
		t.line("")
		t.line("  %-14s  %s", r.what, r.key+r.secret)
		t.line("  the old one     until %s", stamp(until))
		t.line("")
		t.line("It is shown this once. Until then the old one works beside it.")
	})
	if err != nil {
		return fmt.Errorf("client %s has a new %s that could not be shown; the old one goes on until %s, unless you rotate again: then it ends at once (%w)",
			id, r.what, stamp(until), errors.Join(failed, err))
	}
	return failed
}

func (c cli) clientExpireKey() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "expire-key ID", Short: "end a client's old API key now",
		Long: `Ends the old API key of a rotation now, as after a leak. Takes effect within 10 seconds.
Without an old key there is nothing to do.`,
		Args: takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error { return s.expireKey(ctx, args[0], yes) }),
	}
	yesFlag(command, &yes)
	return command
}

func (s *session) expireKey(ctx context.Context, id string, yes bool) error {
	c, err := s.client(ctx, id)
	if err != nil {
		return err
	}
	keys, err := s.ledger.Keys(ctx, c)
	if err != nil {
		return err
	}
	if len(keys) > 1 && keys[0].LastUsedAt.IsZero() && !yes {
		if err := s.confirm(func(t *text) {
			t.line("%s has never used its new key %s. Its requests get 401 once the old one has ended.", c.Name, keys[0].Fingerprint)
		}); err != nil {
			return err
		}
	}
	if c, err = s.ledger.EndOld(ctx, c, ledger.APIKey, s.clock()); err != nil {
		return err
	}
	return s.showClient(ctx, c, 0)
}

func (c cli) clientExpireSecret() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "expire-secret ID", Short: "end a client's old signing secret now",
		Long: `Ends the old signing secret of a rotation now, as after a leak. Takes effect within 10
seconds. Without an old secret there is nothing to do.`,
		Args: takes(nil), ValidArgsFunction: c.firstIsClient,
		RunE: c.over(func(ctx context.Context, s *session, args []string) error { return s.expireSecret(ctx, args[0], yes) }),
	}
	yesFlag(command, &yes)
	return command
}

func (s *session) expireSecret(ctx context.Context, id string, yes bool) error {
	c, err := s.client(ctx, id)
	if err != nil {
		return err
	}
	if len(c.LiveSecrets(s.clock())) > 1 && !yes {
		if err := s.confirm(func(t *text) {
			t.line("Callbacks to %s are then signed with the new secret alone. Does the app verify with it?", c.Name)
		}); err != nil {
			return err
		}
	}
	if c, err = s.ledger.EndOld(ctx, c, ledger.SigningSecret, s.clock()); err != nil {
		return err
	}
	return s.showClient(ctx, c, 0)
}
