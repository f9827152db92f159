package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// refundView is what --json shows of a refund.
type refundView struct {
	RefundID          string    `json:"refundId"`
	Reference         string    `json:"referenceId"` // of the payment
	ProviderReference string    `json:"providerReference"`
	ClientID          string    `json:"clientId"`
	Kind              string    `json:"kind"`
	Amount            string    `json:"amount"`
	Currency          string    `json:"currency"`
	Reason            string    `json:"reason"`
	Operator          string    `json:"operator,omitempty"` // who asked for it; the app did if there is none
	Status            string    `json:"status"`
	Held              bool      `json:"held,omitempty"` // the provider told of other money
	NeedsOperator     bool      `json:"needsOperator,omitempty"`
	TransactionID     string    `json:"financialTransactionId,omitempty"`
	Code              string    `json:"code,omitempty"`
	Accepted          bool      `json:"accepted"`
	Sends             int       `json:"sends"`
	AskedAt           time.Time `json:"askedAt,omitzero"`
	Checks            int       `json:"checks"`
	NextCheckAt       time.Time `json:"nextCheckAt,omitzero"`
	CreatedAt         time.Time `json:"createdAt"`
	UpdatedAt         time.Time `json:"updatedAt"`
	EndedAt           time.Time `json:"endedAt,omitzero"`
	EndedBy           string    `json:"endedBy,omitempty"`
}

func viewOfRefund(f ledger.Refund) refundView {
	return refundView{
		RefundID: f.ID, Reference: f.Payment, ProviderReference: f.Reference, ClientID: f.ClientID, Kind: string(f.Kind),
		Amount: f.Amount.Decimal(), Currency: f.Amount.Currency, Reason: f.Reason, Operator: f.Operator,
		Status: string(f.Status), Held: f.Held, NeedsOperator: f.NeedsOperator(), TransactionID: f.FinancialTransactionID, Code: f.Code,
		Accepted: f.Accepted, Sends: f.Sends, AskedAt: f.AskedAt, Checks: f.Checks, NextCheckAt: f.NextCheckAt,
		CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt, EndedAt: f.EndedAt, EndedBy: string(f.EndedBy),
	}
}

// describeRefund tells what a refund is and how it stands.
func describeRefund(t *text, p ledger.Payment, f ledger.Refund) {
	t.line("Refund %s is %s", f.ID, refundState(f))
	t.line("  amount      %s of %s, by %s", f.Amount, p.Amount, wayBack(p, f.Kind))
	t.line("  payment     %s, order %s of %s", p.Reference, p.ExternalID, p.ClientID)
	t.line("  reason      %s", f.Reason)
	asked := "asked for"
	if f.Kind == refund.ByHand {
		asked = "booked"
	}
	t.line("  %-11s %s by %s", asked, stamp(f.CreatedAt), askedBy(f))
	if f.Sends > 0 {
		t.line("  sent        %s, as %s", stamp(f.AskedAt), f.Reference)
	}
	if f.FinancialTransactionID != "" {
		t.line("  transaction %s", f.FinancialTransactionID)
	}
	switch {
	case !f.Open():
		t.line("  ended       %s by %s%s", stamp(f.EndedAt), f.EndedBy, because(f.Code))
		return
	case f.Held:
		t.line("  answer      of other money: an operator has to end it")
	case f.Code != "":
		t.line("  answer      %s", f.Code)
	}
	t.line("  next check  %s", stamp(f.NextCheckAt))
}

// givenBack is what all refunds of a payment that have not failed come to.
func givenBack(p ledger.Payment) payment.Money {
	return payment.Money{Minor: p.Refunds.Reserved, Currency: p.Amount.Currency}
}

// describeRefunds lists a payment's refunds by the time they were asked for.
func describeRefunds(t *text, p ledger.Payment, refunds []ledger.Refund) {
	if len(refunds) == 0 {
		return
	}
	t.line("")
	t.line("Refunds, %s of %s", givenBack(p), p.Amount)
	for _, f := range slices.SortedStableFunc(slices.Values(refunds), func(a, b ledger.Refund) int { return a.CreatedAt.Compare(b.CreatedAt) }) {
		ended := ""
		switch {
		case f.NeedsOperator():
			ended = "; see momoctl refund settle"
		case !f.Open():
			ended = ", ended " + stamp(f.EndedAt) + " by " + string(f.EndedBy) + because(f.Code)
		}
		t.line("  %s  %-10s  %s by %s, asked for %s by %s%s", f.ID, refundState(f), f.Amount, wayBack(p, f.Kind), stamp(f.CreatedAt), askedBy(f), ended)
	}
}

// refundState is a refund's status in words.
func refundState(f ledger.Refund) string {
	switch {
	case f.Held:
		return string(f.Status) + " held"
	case f.Status == refund.Submitted && f.NeedsOperator():
		return string(f.Status) + " stuck"
	}
	return string(f.Status)
}

func wayBack(p ledger.Payment, k refund.Kind) string {
	switch k {
	case refund.ByTransfer:
		return "a transfer of " + p.Provider + " to the payer"
	case refund.ByHand:
		return "hand"
	}
	return p.Provider + "'s refund call"
}

func askedBy(f ledger.Refund) string {
	if f.Operator == "" {
		return "the app"
	}
	return "operator " + f.Operator
}

// refundRefused says why the state of things does not allow a refund.
func refundRefused(p ledger.Payment, err error) error {
	for reason, what := range map[error]string{
		refund.ErrNotPaid:        "the payment has not succeeded: it is " + string(p.Status),
		refund.ErrNoPayer:        "the payment has no payer's number to transfer to",
		refund.ErrOpen:           "refund " + p.Refunds.Open + " of the payment has not ended; see momoctl payment show " + p.Reference,
		refund.ErrTooMuch:        fmt.Sprintf("%s is left of the payment", refund.Left(p.Payment)),
		refund.ErrTooMany:        fmt.Sprintf("the payment has had %d refunds, which is the most", refund.MaxRefunds),
		gateway.ErrRefundIDTaken: "the payment has another refund of this id",
	} {
		if errors.Is(err, reason) {
			return refused("not done: %s", what)
		}
	}
	return err
}
