package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

var clientRotateSecret = &command{
	name: "client rotate-secret", args: []string{"ID"}, short: "give a client a new signing secret",
	long: `Prints the new secret once; it cannot be shown again. Callbacks are signed with the
new and with the old one until the overlap is over, so the app may change at any
time in it. Rotating again within the overlap ends the oldest secret at once.
Takes effect within 10 seconds.`,
	flags: func(f *flag.FlagSet, c *call) {
		f.DurationVar(&c.overlap, "overlap", ledger.DefaultOverlap, "`time` for which the old secret goes on, 1m to 168h")
	},
	check: func(c *call) error {
		if c.overlap < ledger.MinOverlap || c.overlap > ledger.MaxOverlap {
			return usageError(fmt.Sprintf("--overlap must be %s to %s", ledger.MinOverlap, ledger.MaxOverlap))
		}
		return nil
	},
	run: rotateSecret,
}

// rotationView is a rotation as it is shown, once.
type rotationView struct {
	ID             string    `json:"id"`
	SigningSecret  string    `json:"signingSecret"`
	OldSecretUntil time.Time `json:"oldSecretUntil"`
	Stored         bool      `json:"stored"` // false: nobody knows
}

func rotateSecret(ctx context.Context, s *session) error {
	c, err := s.client(ctx)
	if err != nil {
		return err
	}
	secret, err := webhook.NewSecret(s.random)
	if err != nil {
		return err
	}
	now := s.clock()
	v := rotationView{ID: c.ID, SigningSecret: secret.Reveal(), OldSecretUntil: now.Add(s.overlap)}
	_, failed := s.ledger.RotateSigningSecret(ctx, c, v.SigningSecret, now, v.OldSecretUntil)
	if errors.Is(failed, ledger.ErrMoved) || errors.Is(failed, ledger.ErrRotation) {
		return failed // nothing was written
	}
	v.Stored = failed == nil
	if err := s.showRotation(v); err != nil {
		return fmt.Errorf("client %s has a new secret that could not be shown; the old one goes on until %s, unless you rotate again: then it ends at once (%w)",
			c.ID, stamp(v.OldSecretUntil), errors.Join(failed, err))
	}
	return failed
}

func (s *session) showRotation(v rotationView) error {
	if s.json {
		return s.printJSON(v)
	}
	t := &text{}
	if v.Stored {
		t.line("Client %s has a new signing secret.", v.ID)
	} else {
		t.line("Whether client %s has this new signing secret is not known. Keep both; see which of them verifies.", v.ID)
	}
	t.line("")
	t.line("  signing secret  %s", v.SigningSecret)
	t.line("  the old one     until %s", stamp(v.OldSecretUntil))
	t.line("")
	t.line("The secret is shown this once. Until then callbacks carry a signature of each.")
	return s.print(t)
}
