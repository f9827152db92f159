package gateway

import (
	"context"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// hintsAbout bounds the payments that one hint may be about: apps share order
// ids.
const hintsAbout = 10

// receiveHint takes a callback that anybody may have sent. It is one bounded
// write and never a question inside the request: the answer, its time
// included, must not tell the sender whether there is such an order and
// whether it is open. The schedule asks soon about the payments that it may be
// about.
func (g *Gateway) receiveHint(ctx context.Context, c Callback, matched []ledger.Payment, evidence payment.Evidence, why string) error {
	matched = matched[:min(len(matched), hintsAbout)]
	note := "anybody may have sent it"
	if len(matched) == 0 {
		note = "unmatched: " + why
	}
	h := ledger.Hint{Audit: g.shortRecord(c, note)}
	for _, p := range matched {
		h.About = append(h.About, g.askSoon(p, evidence))
	}
	kept, err := g.Ledger.KeepHint(ctx, h)
	if len(matched) == 0 {
		g.Log.WarnContext(ctx, "callback.unmatched", "provider", c.Provider, "reason", why, "kept", kept)
	}
	for _, p := range matched {
		g.Log.InfoContext(ctx, "callback.hint", "provider", c.Provider, "reference", p.Reference, "kept", kept)
	}
	return err
}

// askSoon moves the next check of a payment to the earliest time allowed, if
// the hint may be right.
func (g *Gateway) askSoon(p ledger.Payment, evidence payment.Evidence) ledger.Payment {
	prov, ok := g.account(p.Payment)
	if !ok || g.submitting(p) || p.Status == payment.Successful {
		return p // SUCCESSFUL stays, whatever is heard of it
	}
	method := prov.Capabilities().Method(p.Method)
	if !payment.Decide(p.Payment, evidence, method.Policy).Confirm {
		return p
	}
	at := g.now()
	if recent(at, p.CheckedAt, spacing(method)) {
		at = p.CheckedAt.Add(spacing(method))
	}
	if p.NextCheckAt.IsZero() || at.Before(p.NextCheckAt) {
		p.NextCheckAt = ledger.Clock(at)
	}
	return p
}
