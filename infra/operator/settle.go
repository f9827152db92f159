package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// Endings are the statuses that an operator can give a payment.
var Endings = []string{string(payment.Successful), string(payment.Failed), string(payment.Cancelled)}

var verdicts = map[string]payment.Verdict{
	string(payment.Successful): payment.SaysSuccessful,
	string(payment.Failed):     payment.SaysFailed,
	string(payment.Cancelled):  payment.SaysCancelled,
}

// Settlement is what a person says about how an open payment ended.
type Settlement struct {
	Status        string `json:"status"`        // one of Endings
	Reason        string `json:"reason"`        // for the audit log, and for the app unless it was SUCCESSFUL
	TransactionID string `json:"transactionId"` // the provider's, of a success
	Seen          string `json:"seen"`          // in the provider's portal; empty: nobody looked
	// AllowDoublePayment: the person accepts that the order may be paid twice.
	AllowDoublePayment bool `json:"allowDoublePayment"`
}

// Fault is what is wrong with a Settlement.
type Fault int

const (
	NoFault           Fault = iota
	BadStatus               // not one of Endings
	NoReason                // empty
	BadReason               // not one line of at most payment.MaxReason bytes
	BadSeen                 // likewise
	BadTransactionID        // likewise
	LoneTransactionID       // one without SUCCESSFUL: it says that money has moved
)

// Check trims the texts and says what is wrong with them.
func (s *Settlement) Check() Fault {
	s.Status = strings.ToUpper(strings.TrimSpace(s.Status))
	s.Reason, s.TransactionID, s.Seen = strings.TrimSpace(s.Reason), strings.TrimSpace(s.TransactionID), strings.TrimSpace(s.Seen)
	switch {
	case !slices.Contains(Endings, s.Status):
		return BadStatus
	case s.Reason == "":
		return NoReason
	case !oneLine(s.Reason):
		return BadReason
	case !oneLine(s.Seen):
		return BadSeen
	case !oneLine(s.TransactionID):
		return BadTransactionID
	case s.TransactionID != "" && s.Status != string(payment.Successful):
		return LoneTransactionID
	}
	return NoFault
}

func oneLine(s string) bool {
	return len(s) <= payment.MaxReason && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// NeedsLook says whether Seen must be given for this payment.
func (s Settlement) NeedsLook(p ledger.Payment) bool { return gateway.NeedsLook(p, verdicts[s.Status]) }

// MayDouble says whether the order may be paid twice.
func (s Settlement) MayDouble(p ledger.Payment, now time.Time) bool {
	return gateway.MayDouble(p, verdicts[s.Status], now)
}

// Settle ends an open payment by a person's word, once Check finds no fault.
// Its errors are those of gateway.Settle.
func (o Operator) Settle(ctx context.Context, g *gateway.Gateway, reference string, s Settlement) (ledger.Payment, error) {
	return g.Settle(ctx, reference, gateway.Settlement{
		Verdict: verdicts[s.Status], Reason: s.Reason, FinancialTransactionID: s.TransactionID, Operator: o.Name, Seen: s.Seen,
		AlthoughPayable: s.AllowDoublePayment,
	})
}

// RecordNumberShown writes down that a person is shown a payer's number. Show
// it when there is no error.
func (o Operator) RecordNumberShown(ctx context.Context, reference, client string) error {
	return o.Ledger.Audit(ctx, ledger.AuditRecord{
		At: ledger.Clock(o.Now()), Direction: ledger.InboundFromApp, Reference: reference, ClientID: client,
		Method: gateway.OperatorMethod, URL: "console/show-number", Note: fmt.Sprintf("operator %s: the payer's number was shown", o.Name),
	})
}
