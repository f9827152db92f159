package gateway

import (
	"context"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Reasons of a payment that certainly never reached the provider: its request
// limit was spent, or there was no way to it (no token, no connection).
const (
	codeNoTurn  = "REQUEST_LIMIT_SPENT"
	codeNotSent = "NOT_SENT"
)

// submit asks the provider to charge, within its turn. One that is stale by
// now (the table was slow) is taken anew; without one nothing is asked, and
// that is certain.
func (g *Gateway) submit(ctx context.Context, prov provider.Provider, p ledger.Payment, turn time.Time, token string) provider.Answer {
	caps := prov.Capabilities()
	if caps.Submits.Every > 0 && g.now().Sub(turn) > submitTurnLasts {
		again, err := g.takeSubmitTurn(ctx, caps, p.ClientID)
		if err != nil || g.now().Sub(again) > submitTurnLasts {
			g.Log.ErrorContext(ctx, "provider.turn_lost", "provider", caps.Name, "reference", p.Reference)
			return provider.Answer{Evidence: payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: codeNoTurn, At: g.now()}}
		}
	}
	told := prov.Submit(ctx, p.Payment, g.callbackURL(p.Reference, token))
	g.noteSubmit(ctx, caps.Name, told)
	g.logAsked(ctx, p, "submit", told)
	if !told.Attempted {
		told.Evidence = payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: codeNotSent}
	}
	told.Evidence.At = g.now()
	return told
}
