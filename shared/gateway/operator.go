package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// OperatorMethod stands in the audit log where an exchange has its HTTP
// method: a person did this, by a tool.
const OperatorMethod = "OPERATOR"

// ErrEnded: the payment has ended otherwise, and an operator's word does not
// change that; only the provider's own status answer may.
var ErrEnded = errors.New("payment has ended otherwise")

// ErrNotLookedUp: the provider's answer was lost, so the payer may have been
// charged. FAILED or CANCELLED needs Settlement.Seen.
var ErrNotLookedUp = errors.New("the provider may have charged the payer, and its portal was not looked up")

// ErrPayable: the payer can still pay it, or may have paid it. FAILED or
// CANCELLED frees its order to be paid again, and needs
// Settlement.AlthoughPayable.
var ErrPayable = errors.New("the payer can still pay it, or may have paid it")

// Settlement is an operator's word about how a payment ended.
type Settlement struct {
	Verdict payment.Verdict // an ending: SaysSuccessful, SaysFailed or SaysCancelled
	// Reason is for the audit log, and of a payment that failed or was
	// cancelled it is also what the app reads.
	Reason                 string
	FinancialTransactionID string // of a success, if known
	Operator               string // who says so
	// Seen is what the provider's own portal shows of the payment, for the
	// audit log; empty: not looked up.
	Seen string
	// AlthoughPayable: the operator accepts that the order may be paid twice.
	AlthoughPayable bool
}

// Settle ends an open payment by an operator's word, with an audit record of
// who gave it and why. It is the only way out of the phase held. Said again,
// it changes nothing. The provider need not be reachable. ledger.ErrNotFound:
// unknown. ErrEnded: as there.
// ErrNotLookedUp, ErrPayable: as there.
// ErrSubmitting: the provider may be being asked at this moment; in half a
// minute it can be said.
func (g *Gateway) Settle(ctx context.Context, reference string, s Settlement) (ledger.Payment, error) {
	status, ends := s.Verdict.Ending()
	if !ends || s.Verdict == payment.SaysRefused {
		return ledger.Payment{}, fmt.Errorf("settle: %q is no ending that an operator can know", s.Verdict)
	}
	p, err := g.Ledger.Payment(ctx, reference)
	if err != nil {
		return ledger.Payment{}, err
	}
	if g.submitting(p) {
		return p, ErrSubmitting
	}
	if NeedsLook(p, s.Verdict) && s.Seen == "" {
		return p, ErrNotLookedUp
	}
	if MayDouble(p, s.Verdict, g.now()) && !s.AlthoughPayable {
		return p, ErrPayable
	}
	if p.Open() {
		now := g.now()
		p, err = g.applyEvidence(ctx, p, update{
			evidence: payment.Evidence{
				Source: payment.FromOperator, Verdict: s.Verdict, Reason: s.Reason,
				FinancialTransactionID: s.FinancialTransactionID, At: now,
			},
			records: []ledger.AuditRecord{settlementRecord(p.Payment, s, status, now)},
		})
		if err != nil {
			return p, err
		}
	}
	if p.Status != status {
		return p, fmt.Errorf("%w: it is %s", ErrEnded, p.Status)
	}
	return p, nil
}

// NeedsLook says whether a payment may be ended so only by an operator who has
// looked into the provider's portal: nobody else can know its outcome, or
// nobody has asked since its request died.
func NeedsLook(p ledger.Payment, v payment.Verdict) bool {
	return p.Open() && (p.Unanswerable || p.Phase == payment.PhaseSubmitting) && v != payment.SaysSuccessful
}

// MayDouble says whether a payment that is ended so may be paid all the same:
// the provider has asked for it, or given out what it is paid with, and that has
// not run out; or the provider's answer was lost, with the request that waited
// for it or without. Of a held one, the operator reads what the provider said.
func MayDouble(p ledger.Payment, v payment.Verdict, now time.Time) bool {
	switch {
	case !p.Open() || v == payment.SaysSuccessful:
		return false
	case p.ExpiresAt.IsZero():
		return p.Phase != payment.PhaseHeld
	}
	return now.Before(p.ExpiresAt)
}

func settlementRecord(p payment.Payment, s Settlement, status payment.Status, at time.Time) ledger.AuditRecord {
	// A map of strings always marshals.
	said := map[string]string{"status": string(status), "reason": s.Reason, "financialTransactionId": s.FinancialTransactionID}
	if s.Seen != "" {
		said["seenInPortal"] = s.Seen
	}
	body, _ := json.Marshal(said)
	note := "operator " + s.Operator + ": " + s.Reason
	// INBOUND_FROM_APP is the nearest of the log's four directions: the
	// provider has said nothing.
	return ledger.AuditRecord{
		At: at, Direction: ledger.InboundFromApp, Reference: p.Reference, ClientID: p.ClientID,
		Method: OperatorMethod, URL: "settle", RequestBody: string(body), Note: note,
	}
}
