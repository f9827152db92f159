package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// RefundEndings are the statuses that an operator can give a refund.
var RefundEndings = []string{string(refund.Successful), string(refund.Failed)}

// ErrRefundNotLookedUp: the provider was asked for the refund and may have
// executed it. FAILED needs RefundSettlement.Seen.
var ErrRefundNotLookedUp = errors.New("the provider may have executed the refund, and its portal was not looked up")

// RefundSettlement is what a person says about how a refund ended.
type RefundSettlement struct {
	Status string `json:"status"` // one of RefundEndings
	Reason string `json:"reason"` // for the audit log, and for the app of one that failed
	Seen   string `json:"seen"`   // in the provider's portal; for the audit log; empty: nobody looked
}

// Check trims the texts and says what is wrong with them.
func (s *RefundSettlement) Check() Fault {
	s.Status = strings.ToUpper(strings.TrimSpace(s.Status))
	s.Reason, s.Seen = strings.TrimSpace(s.Reason), strings.TrimSpace(s.Seen)
	switch {
	case !slices.Contains(RefundEndings, s.Status):
		return BadStatus
	case s.Reason == "":
		return NoReason
	case !oneLine(s.Reason):
		return BadReason
	case !oneLine(s.Seen):
		return BadSeen
	}
	return NoFault
}

// NeedsLook says whether Seen must be given for this refund: what is called
// failed can be given back a second time.
func (s RefundSettlement) NeedsLook(r refund.Refund) bool {
	return s.Status == string(refund.Failed) && r.Open() && r.Status != refund.Pending
}

// refunds are the use cases of refunds. They ask no provider.
func (o Operator) refunds() *gateway.Refunds {
	return &gateway.Refunds{Ledger: o.Ledger, Doorbell: forwarder.Doorbell{Queue: o.Queue, Now: o.Now}, Now: o.Now, Log: o.Log}
}

// RequestRefund stores a refund that this person asks for, or, of refund.ByHand,
// books what a person has done. Its errors are those of gateway.Refunds.Request.
func (o Operator) RequestRefund(ctx context.Context, order gateway.RefundOrder) (ledger.Payment, ledger.Refund, error) {
	order.Operator, order.ClientID = o.Name, ""
	return o.refunds().Request(ctx, order)
}

// SettleRefund ends a refund by a person's word, once Check finds no fault. One
// that has ended so is left as it is. Its errors are those of
// gateway.Refunds.Settle, and ErrRefundNotLookedUp.
func (o Operator) SettleRefund(ctx context.Context, reference, id string, s RefundSettlement) (ledger.Refund, error) {
	f, err := o.Ledger.Refund(ctx, reference, id)
	if err != nil || string(f.Status) == s.Status {
		return f, err
	}
	now := ledger.Clock(o.Now())
	if err := refund.MaySettle(f.Refund, refund.Status(s.Status), now); err != nil {
		return f, err
	}
	if s.NeedsLook(f.Refund) && s.Seen == "" {
		return f, ErrRefundNotLookedUp
	}
	if s.Seen != "" {
		said, _ := json.Marshal(map[string]string{"refundId": f.ID, "seenInPortal": s.Seen}) // always marshals
		if err := o.Ledger.Audit(ctx, ledger.AuditRecord{
			At: now, Direction: ledger.InboundFromApp, Reference: f.Payment, ClientID: f.ClientID,
			Method: gateway.OperatorMethod, URL: "refund/seen", RequestBody: string(said),
			Note: fmt.Sprintf("operator %s: the portal shows of refund %s: %s", o.Name, f.ID, s.Seen),
		}); err != nil {
			return f, err
		}
	}
	return o.refunds().Settle(ctx, f.Payment, f.ID, gateway.RefundSettlement{Status: refund.Status(s.Status), Operator: o.Name, Reason: s.Reason})
}

// RefundsWaiting lists the refunds that a person has to look at, oldest first;
// clientID empty: everybody's. A page may be short, or empty, and still have a
// cursor.
func (o Operator) RefundsWaiting(ctx context.Context, clientID string, p ledger.Paging) (found ledger.Page[ledger.Refund], err error) {
	inbox, err := o.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionRefund}, p)
	if err != nil {
		return found, err
	}
	for _, a := range inbox.Items {
		if clientID != "" && a.ClientID != clientID {
			continue
		}
		f, err := o.Ledger.Refund(ctx, a.Reference, a.RefundID)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err != nil {
			return found, err
		}
		if f.NeedsOperator() { // else the inbox lags
			found.Items = append(found.Items, f)
		}
	}
	found.Next = inbox.Next
	return found, nil
}

// PaidTwice is an order that has two payments that succeeded and are not given
// back whole.
type PaidTwice struct {
	First, Second ledger.Payment // by the time of their ending
}

// PaidTwice says whether the order of a payment is paid twice.
func (o Operator) PaidTwice(ctx context.Context, p ledger.Payment) (twice PaidTwice, ok bool, err error) {
	if p.Status != payment.Successful || refund.Left(p.Payment).Minor == 0 {
		return twice, false, nil
	}
	other, err := o.Ledger.PaidBeside(ctx, p)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return twice, false, nil
	case err != nil || refund.Left(other.Payment).Minor == 0:
		return twice, false, err
	case other.EndedAt.After(p.EndedAt):
		return PaidTwice{p, other}, true, nil
	}
	return PaidTwice{other, p}, true, nil
}
