package guard

import (
	"context"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// checkBudget bounds a question about a payer, the wait for token and slot
// included: somebody waits for the answer.
const checkBudget = 8 * time.Second

// ChecksPayers says whether the provider tells if a payer's account is active.
func (g *Guard) ChecksPayers() bool {
	_, ok := provider.ChecksPayers(g.Provider)
	return ok
}

// PayerActive asks the provider about a payer for an app, within the app's share
// of the status questions. While the circuit keeps the app out, without a token
// and without a slot nothing is asked. Its answer changes no circuit: it does
// not show that the provider takes payments.
func (g *Guard) PayerActive(ctx context.Context, clientID string, payer payment.MSISDN) (active provider.Activity, why string) {
	checker, ok := provider.ChecksPayers(g.Provider)
	if !ok {
		return provider.ActivityUnknown, "the provider does not say"
	}
	ctx, cancel := context.WithTimeout(ctx, checkBudget)
	defer cancel()
	health, err := g.ledger.Health(ctx, g.id(), g.now())
	if err != nil {
		return provider.ActivityUnknown, "circuit unread"
	}
	if keepsOut(health, clientID) || admits(health, clientID, g.now()) != nil {
		return provider.ActivityUnknown, "circuit open or limited"
	}
	if g.Ready(ctx) != nil {
		return provider.ActivityUnknown, "no token"
	}
	slot, err := g.WaitToAsk(ctx, clientID, ByApp, Slot{})
	if err != nil || slot.Stale(g.now()) {
		return provider.ActivityUnknown, "no slot"
	}
	return checker.PayerActive(ctx, payer)
}

// KeptOutSince is when the circuit opened that keeps an app out; zero: none does.
// Like Admit it may be some seconds behind.
func (g *Guard) KeptOutSince(ctx context.Context, clientID string) (time.Time, error) {
	health, err := g.ledger.Health(ctx, g.id(), g.now())
	if err != nil || !keepsOut(health, clientID) {
		return time.Time{}, err
	}
	return health.OpenedAt, nil
}
