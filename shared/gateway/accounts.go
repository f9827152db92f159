package gateway

import (
	"context"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/provider"
)

// AccountStatus is whether an app's payments get through at an account.
type AccountStatus string

const (
	AccountOperational AccountStatus = "operational"
	AccountDelayed     AccountStatus = "delayed"     // many of the app's latest payments are without an answer
	AccountUnavailable AccountStatus = "unavailable" // the circuit keeps the app out
)

// An account is delayed for an app when half or more of its latest payments are
// without an answer, of at least delayedLeast.
const delayedLeast = 5

// AccountState is an account as an app may use it, with the evidence behind its
// status. No other app's payments are in it: the circuit alone, which one app
// cannot open for others, is everybody's.
type AccountState struct {
	provider.Capabilities
	ChecksPayers bool
	Status       AccountStatus
	OpenSince    time.Time     // of the circuit that keeps the app out; zero: none
	Recent       ledger.Recent // of the app's payments
}

// AccountStates lists the accounts that an app may use, in the order in which
// they are chosen. It asks no provider.
func (g *Gateway) AccountStates(ctx context.Context, c ledger.Client) ([]AccountState, error) {
	now := g.now()
	recent, err := g.Ledger.Recent(ctx, c.ID, now)
	if err != nil {
		return nil, err
	}
	var states []AccountState
	for _, prov := range g.open(Request{MayUse: c.Accounts}) {
		s := AccountState{Capabilities: prov.Capabilities(), ChecksPayers: prov.ChecksPayers(), Status: AccountOperational}
		s.Recent = recent[s.ID()]
		if s.OpenSince, err = prov.KeptOutSince(ctx, c.ID); err != nil {
			return nil, err
		}
		switch {
		case !s.OpenSince.IsZero():
			s.Status = AccountUnavailable
		case s.Recent.Payments >= delayedLeast && 2*s.Recent.Unknown >= s.Recent.Payments:
			s.Status = AccountDelayed
		}
		states = append(states, s)
	}
	return states, nil
}
