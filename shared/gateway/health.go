package gateway

import (
	"context"
	"errors"
	"fmt"
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

// errTable: the breaker's state could not be read; nothing is known of the
// provider.
var errTable = errors.New("table unavailable")

// ready says whether a payment may be created now, or how long to wait.
func (g *Gateway) ready(ctx context.Context, prov provider.Provider) (wait time.Duration, err error) {
	name, now := prov.Capabilities().Name, g.now()
	health, err := g.Ledger.Health(ctx, name, now)
	if err != nil {
		return breakerProbe, fmt.Errorf("%w: %w", errTable, err)
	}
	if health.Failures >= breakerTrip {
		// What is cached does not know who is probing.
		if health, err = g.Ledger.FreshHealth(ctx, name); err != nil {
			return breakerProbe, fmt.Errorf("%w: %w", errTable, err)
		}
		// A probe time further off than any is set was written by a clock
		// that ran ahead.
		if until := health.ProbeAt.Sub(now); until > 0 && until <= breakerProbe {
			return until, ErrCircuitOpen
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

// claimProbe keeps others out while this payment, which is stored and about to
// be submitted, shows whether the provider is back. It comes so late because a
// request that turns out to be a repeat shows nothing. Losing it to another is
// harmless: two probes at once.
func (g *Gateway) claimProbe(ctx context.Context, name string) {
	health, err := g.Ledger.Health(ctx, name, g.now())
	if err == nil && health.Failures >= breakerTrip {
		err = g.Ledger.ClaimProbe(ctx, health, g.now().Add(breakerProbe))
	}
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", name, "error", err.Error())
	}
}

// noteSubmit learns from the answer to a request to pay, and from nothing
// else: payments about which the provider says nothing usable are asked about
// again and again, and must not close the shop for everybody; status answers
// do not show that it takes payments. It never fails the caller: a breaker
// that counts late is only late.
func (g *Gateway) noteSubmit(ctx context.Context, name string, told provider.Answer) {
	if patient(told) {
		return
	}
	if unanswered(told) {
		g.countFailure(ctx, name)
		return
	}
	health, err := g.Ledger.Health(ctx, name, g.now())
	if err == nil && health.Failures > 0 {
		err = g.Ledger.SetHealth(ctx, health, 0, time.Time{})
	}
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		g.Log.WarnContext(ctx, "breaker.not_stored", "provider", name, "error", err.Error())
	}
}

// patient says whether an answer may have failed to come because the payer,
// and not the provider, takes long: it would have been the outcome itself.
func patient(told provider.Answer) bool {
	n := len(told.Exchanges)
	if told.Evidence.Verdict != payment.SaysUnanswerable || n == 0 {
		return false
	}
	last := told.Exchanges[n-1]
	return last.Code == 504 || last.Code == 0 && last.Err == provider.ErrClassTimeout
}

// unanswered says whether the provider was out of reach: no connection, no
// answer, or a gateway's word that nobody is behind it. Any other answer, an
// error about this one payer among them, shows that it is there.
func unanswered(told provider.Answer) bool {
	n := len(told.Exchanges)
	if n == 0 {
		return true
	}
	switch told.Exchanges[n-1].Code {
	case 0, 429, 502, 503, 504:
		return true
	}
	return false
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
