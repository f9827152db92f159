// Package guard says whether a provider's account may be asked now: one
// decorator around provider.Provider with its circuit breaker, its rate limits
// and its token. What it knows is in the table, so that all functions see the
// same.
package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Guard is an account with its guard. Of the port's methods Submit alone has
// another form: it needs the slot that WaitToSubmit gave.
type Guard struct {
	provider.Provider
	Host     host.Host
	Log      *slog.Logger
	ledger   *ledger.Ledger
	run      runSlots
	answered lastAnswered
}

// New guards an account.
func New(p provider.Provider, l *ledger.Ledger, h host.Host, log *slog.Logger) *Guard {
	return &Guard{Provider: p, ledger: l, Host: h, Log: log, run: runSlots{lock: h.NewLock()}}
}

// Refusal is the error of what may not be asked now.
type Refusal struct {
	RetryAfter time.Duration
	// Busy: a request limit is spent, ours or the provider's; the provider is
	// healthy.
	Busy bool
	Err  error
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// credentialsWait is the RetryAfter when our credentials are refused: a
// person has to repair that.
const credentialsWait = 5 * time.Minute

// Admit says whether p may be created now: the circuit lets its app through,
// and there is a token. Without a *Refusal the error is of the table, and
// nothing is known of the provider. A healthy provider costs no write.
func (g *Guard) Admit(ctx context.Context, p payment.Payment) error {
	health, err := g.ledger.Health(ctx, g.id(), g.now())
	if err == nil && (health.Open() || admits(health, p.ClientID, g.now()) != nil) {
		// What is cached does not know who is probing.
		if health, err = g.ledger.FreshHealth(ctx, g.id()); err == nil {
			if refusal := admits(health, p.ClientID, g.now()); refusal != nil {
				return refusal
			}
		}
	}
	if err != nil {
		return fmt.Errorf("read circuit: %w", err)
	}
	if err := g.Ready(ctx); errors.Is(err, provider.ErrCredentials) {
		return &Refusal{RetryAfter: credentialsWait, Err: err}
	} else if err != nil {
		g.countFailure(ctx, p)
		return &Refusal{RetryAfter: ProbeEvery, Err: err}
	}
	return nil
}

// Submit asks the provider to charge p, which is stored, within its slot. A
// slot that is stale by now (the table was slow) is taken anew; without one
// nothing is asked, and that is certain.
func (g *Guard) Submit(ctx context.Context, p payment.Payment, callbackURL string, invoice provider.Invoice, slot time.Time) provider.Answer {
	g.claimProbe(ctx, p)
	if g.Capabilities().Submits.Every > 0 && g.now().Sub(slot) > submitSlotLasts {
		again, err := g.WaitToSubmit(ctx, p.ClientID)
		if err != nil || g.now().Sub(again) > submitSlotLasts {
			g.Log.ErrorContext(ctx, "provider.slot_lost", "provider", g.id(), "reference", p.Reference)
			return provider.Answer{}
		}
	}
	answer := provider.SubmitTo(ctx, g.Provider, p, callbackURL, invoice)
	g.note(ctx, p, answer)
	return answer
}

func (g *Guard) now() time.Time { return ledger.Clock(g.Host.Now()) }

func (g *Guard) id() string { return g.Capabilities().ID() }
