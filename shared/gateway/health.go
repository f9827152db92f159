package gateway

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// The circuit breaker of a provider. Its state is in the table, so that all
// functions see the same; a healthy provider costs no write.
const (
	// breakerTrip: so many unanswered calls in a row open the circuit…
	breakerTrip = 5
	// …and while it is open one probe is let through each breakerProbe.
	breakerProbe = 30 * time.Second
	// credentialsWait is what an app is told when our credentials are
	// refused: a person has to mend that.
	credentialsWait = 5 * time.Minute
)

// ErrCircuitOpen: the provider has not been answering.
var ErrCircuitOpen = errors.New("provider's circuit is open")

// ready says whether a payment may be created now, or how long to wait.
func (g *Gateway) ready(ctx context.Context, prov provider.Provider) (wait time.Duration, err error) {
	name, now := prov.Capabilities().Name, g.now()
	health, err := g.Ledger.Health(ctx, name, now)
	if err != nil {
		return breakerProbe, err
	}
	if health.Failures >= breakerTrip {
		if now.Before(health.ProbeAt) {
			return health.ProbeAt.Sub(now), ErrCircuitOpen
		}
		if err := g.Ledger.ClaimProbe(ctx, health, now.Add(breakerProbe)); err != nil {
			return breakerProbe, errors.Join(ErrCircuitOpen, err)
		}
	}
	if err := prov.Ready(ctx); err != nil {
		if errors.Is(err, provider.ErrCredentials) {
			return credentialsWait, err
		}
		g.countFailure(ctx, name)
		return breakerProbe, err
	}
	return 0, nil
}

// noteSubmit learns from the answer to a request to pay. Only these open the
// circuit: an unreadable answer about one payment, asked for again and again
// by reconciliation, must not close the shop for everybody.
func (g *Gateway) noteSubmit(ctx context.Context, prov provider.Provider, told provider.Answer) {
	if told.Evidence.Verdict == payment.SaysNothing {
		g.countFailure(ctx, prov.Capabilities().Name)
		return
	}
	g.noteAnswered(ctx, prov, told)
}

// noteAnswered closes the circuit again on any answer that says something. It
// never fails the caller: a breaker that counts late is only late.
func (g *Gateway) noteAnswered(ctx context.Context, prov provider.Provider, told provider.Answer) {
	if told.Evidence.Verdict == payment.SaysNothing {
		return
	}
	name := prov.Capabilities().Name
	health, err := g.Ledger.Health(ctx, name, g.now())
	if err == nil && health.Failures > 0 {
		err = g.Ledger.SetHealth(ctx, health, 0, time.Time{})
	}
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", name, "error", err.Error())
	}
}

func (g *Gateway) countFailure(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	now := g.now()
	health, err := g.Ledger.FreshHealth(ctx, name)
	if err == nil {
		var probeAt time.Time
		if health.Failures+1 >= breakerTrip {
			probeAt = now.Add(breakerProbe)
		}
		if health.Failures+1 == breakerTrip {
			g.Log.ErrorContext(ctx, "breaker.opened", "provider", name)
		}
		err = g.Ledger.SetHealth(ctx, health, health.Failures+1, probeAt)
	}
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", name, "error", err.Error())
	}
}
