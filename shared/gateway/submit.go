package gateway

import (
	"context"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// submit asks the provider to charge, within its slot.
func (g *Gateway) submit(ctx context.Context, prov *guard.Guard, p ledger.Payment, invoice provider.Invoice, slot time.Time, token string) provider.Answer {
	result := prov.Submit(ctx, p.Payment, g.callbackURL(p.Reference, token), invoice, slot)
	g.logAsked(ctx, p, "submit", result)
	result.Evidence = SubmitEvidence(result)
	g.reportAccountFault(ctx, p, result)
	result.Evidence.At = g.now()
	return result
}

// SubmitEvidence is what the answer to a request says of its payment: what never
// left is known to have failed.
func SubmitEvidence(result provider.Answer) payment.Evidence {
	if result.Attempted {
		return result.Evidence
	}
	e := payment.Evidence{Source: payment.FromSubmit, Verdict: payment.SaysRefused, Code: payment.ReasonNotSent, AccountFault: result.Evidence.AccountFault}
	if e.AccountFault {
		e.Code = provider.CodeCredentials
	}
	return e
}

// reportAccountFault writes the line of the ProviderAccount alarm: every
// payment fails until the operator mends the account.
func (g *Gateway) reportAccountFault(ctx context.Context, p ledger.Payment, result provider.Answer) {
	if e := result.Evidence; e.AccountFault {
		g.Log.ErrorContext(ctx, "provider.account", "provider", p.Provider, "reference", p.Reference, "code", e.Code, "reason", e.Reason)
	}
}
