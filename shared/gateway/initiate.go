package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"momoproxy/shared/guard"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Initiate starts a payment for an authenticated, active client. The payment
// and its external-id lock are stored before the provider hears of them, the
// provider is asked under one reference only, and whatever cannot be known is
// left to reconciliation. An error is ours alone: nothing was charged.
//
// record is the audit record of the request, without its answer. recorded says
// whether it has been written with the payment's state; otherwise the caller
// writes it.
func (g *Gateway) Initiate(ctx context.Context, c ledger.Client, r Request, record ledger.AuditRecord) (answer Answer, recorded bool, err error) {
	r.MayUse = c.Accounts
	p, invoice, prov, faults := g.read(ctx, r)
	// A repeat may come when its expiresAt has passed.
	late := len(faults) == 1 && faults[0].Field == fieldExpiresAt && !p.ExpiresAt.IsZero() && r.IdempotencyKey != ""
	if len(faults) > 0 && !late {
		return Answer{Kind: Invalid, Faults: faults}, false, nil
	}
	p.ClientID = c.ID
	p.Reference = payment.NewReference(g.Random)
	if r.IdempotencyKey != "" {
		p.Reference = payment.ReferenceFor(c.ID, r.IdempotencyKey)
	}

	hash := requestHash(p, r.Account, invoice)
	if late {
		stored, err := g.Ledger.Payment(ctx, p.Reference)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			return Answer{Kind: Invalid, Faults: faults}, false, nil
		case err != nil:
			return Answer{}, false, err
		}
		return g.replay(stored, hash), false, nil
	}
	providerCtx, cancel := within(ctx, submitBudget, answerReserve)
	defer cancel()
	if err := prov.Admit(providerCtx, p); err != nil {
		answer, err := g.notAdmitted(ctx, p, r, hash, err)
		return answer, false, err
	}

	caps := prov.Capabilities()
	if caps.Submits.Every > 0 {
		// A request that makes no payment takes nobody's slot.
		if answer, known, err := g.alreadyThere(ctx, p, hash); known || err != nil {
			return answer, false, err
		}
	}
	slot, err := prov.WaitToSubmit(providerCtx, c.ID)
	if err != nil {
		answer, err := g.notAdmitted(ctx, p, r, hash, err)
		return answer, false, err
	}
	now := g.now()
	p.Status, p.Phase = payment.Pending, payment.PhaseSubmitting
	p.CreatedAt, p.UpdatedAt, p.SubmitDeadline = now, now, now.Add(submitLease)
	p.NextCheckAt = caps.Method(p.Method).Policy.NextCheck(p, now)
	token, tokenHash := g.callbackToken()
	entry, err := g.Ledger.Create(ctx, ledger.Payment{Payment: p, CallbackTokenHash: tokenHash, RequestHash: hash})
	if answer, known, err := g.whyNotCreated(ctx, hash, err); known {
		return answer, false, err
	}

	result := g.submit(providerCtx, prov, entry, invoice, slot, token)

	after, err := g.applyEvidence(ctx, entry, update{evidence: result.Evidence, exchanges: result.Exchanges, request: &record})
	if err != nil {
		// The provider has been asked and our table does not answer. The
		// payment is stored as PENDING, so reconciliation ends it.
		g.Log.ErrorContext(ctx, "payment.answer_not_stored", "reference", entry.Reference, "error", err.Error())
		entry.Phase = payment.PhaseInReconciliation
		return Answer{Kind: Accepted, Payment: entry, Status: payment.Pending, Phase: entry.Phase}, false, nil
	}
	return answerTo(after, result.Evidence), true, nil
}

// whyNotCreated turns a failed Create into an answer. known is false when the
// payment was created.
func (g *Gateway) whyNotCreated(ctx context.Context, hash string, err error) (Answer, bool, error) {
	if err == nil {
		return Answer{}, false, nil
	}
	var exists *ledger.ExistsError
	if errors.As(err, &exists) {
		return g.replay(exists.Payment, hash), true, nil
	}
	var taken *ledger.ExternalIDTakenError
	if errors.As(err, &taken) {
		holder, err := g.Ledger.Payment(ctx, taken.Reference)
		if errors.Is(err, ledger.ErrNotFound) {
			// It has expired. Of the ended ones only a successful one keeps its order.
			holder.Reference, holder.Status, err = taken.Reference, payment.Successful, nil
		}
		if err != nil {
			return Answer{}, true, fmt.Errorf("read holder of external id: %w", err)
		}
		return Answer{Kind: ExternalIDTaken, Payment: holder}, true, nil
	}
	return Answer{}, true, err
}

// alreadyThere answers a repeat under a known key, and a request whose order
// is taken, by reading alone. Create finds what is stored in between.
func (g *Gateway) alreadyThere(ctx context.Context, p payment.Payment, hash string) (Answer, bool, error) {
	stored, err := g.Ledger.Payment(ctx, p.Reference)
	if err == nil {
		return g.replay(stored, hash), true, nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return Answer{}, false, err
	}
	holder, err := g.Ledger.ExternalIDHolder(ctx, p.ClientID, p.ExternalID)
	if err != nil || holder.Reference == "" {
		return Answer{}, false, err
	}
	return Answer{Kind: ExternalIDTaken, Payment: holder}, true, nil
}

// notAdmitted answers a request that the guard refused. A repeat under a known
// key still gets its stored answer.
func (g *Gateway) notAdmitted(ctx context.Context, p payment.Payment, r Request, hash string, err error) (Answer, error) {
	var refusal *guard.Refusal
	if !errors.As(err, &refusal) {
		return Answer{}, err
	}
	g.Log.WarnContext(ctx, "provider.not_ready", "provider", p.Provider, "client", p.ClientID, "error", err.Error())
	if r.IdempotencyKey != "" {
		stored, err := g.Ledger.Payment(ctx, p.Reference)
		if err == nil {
			return g.replay(stored, hash), nil
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return Answer{}, err
		}
	}
	return Answer{Kind: Unavailable, RetryAfter: refusal.RetryAfter, Busy: refusal.Busy}, nil
}

// callbackToken makes the secret part of a callback URL: 128 random bits, of
// which only the hash is stored.
func (g *Gateway) callbackToken() (token, hash string) {
	var b [16]byte
	if _, err := io.ReadFull(g.Random, b[:]); err != nil {
		panic("gateway: no randomness: " + err.Error())
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	return token, tokenHash(token)
}

// tokenHash is as long as the token itself: more would tell no more.
func tokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:16])
}

func (g *Gateway) callbackURL(reference, token string) string {
	return g.PublicBaseURL + "/callback/" + reference + "/" + token
}
