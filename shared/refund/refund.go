// Package refund decides what a refund is and how it changes. It is pure, as
// package payment is. What must hold, whatever crashes: what is given back never
// exceeds what was paid, and a refund is never sent twice.
package refund

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/payment"
)

// Status is where a refund stands.
type Status string

const (
	// Pending: it is stored, and the provider was certainly not asked.
	Pending Status = "PENDING"
	// Submitted: it is being sent, or the provider has it.
	Submitted Status = "SUBMITTED"
	// Unknown: the provider may have it or not. The status is asked until it
	// says which; what is never sent again, an operator ends.
	Unknown Status = "UNKNOWN"
	// Successful and Failed are the endings.
	Successful Status = "SUCCESSFUL"
	Failed     Status = "FAILED"
)

// Statuses lists every status.
var Statuses = []Status{Pending, Submitted, Unknown, Successful, Failed}

// Ended says whether the status is an ending. None is ever left.
func (s Status) Ended() bool { return s == Successful || s == Failed }

// Kind is the way in which the money goes back.
type Kind string

const (
	// ByRefund: by the provider's refund call.
	ByRefund Kind = "refund"
	// ByTransfer: by a transfer to the payer. An operator's choice alone.
	ByTransfer Kind = "transfer"
	// ByHand: a person has done it, and it is only recorded.
	ByHand Kind = "manual"
)

// Refund is one refund of a payment. It is a value: Decide returns a changed
// copy. Times are UTC.
type Refund struct {
	ID        string // the caller's UUID, unique within the payment
	Payment   string // the payment's reference
	Reference string // what the provider knows it by: made once, never changed
	ClientID  string
	Kind      Kind
	Amount    payment.Money
	Reason    string // why, in the words of who asked for it
	Operator  string // who asked for it; empty: the app

	Status                 Status
	Held                   bool // Unknown, because the provider told of other money: an operator ends it
	FinancialTransactionID string
	Code                   string // of the provider's latest answer; of one that failed: why

	// Sends counts the times that it was taken to be sent. A second time comes
	// only after a first that certainly left nothing at the provider.
	Sends    int
	AskedAt  time.Time // when it was last taken to be sent; zero: never
	Accepted bool      // the provider has confirmed that it knows it
	Checks   int       // status questions

	CreatedAt   time.Time
	UpdatedAt   time.Time
	EndedAt     time.Time      // zero while open
	EndedBy     payment.Source // empty while open
	NextCheckAt time.Time      // when it is next sent or asked about; zero: never
}

// Open says whether it has not ended.
func (r Refund) Open() bool { return !r.Status.Ended() }

// ReferenceFor derives the provider's reference of a refund. The same refund has
// the same one whatever was lost, and another app's or payment's has another.
func ReferenceFor(clientID, paymentReference, refundID string) string {
	h := sha256.Sum256([]byte("momoproxy refund\x00" + clientID + "\x00" + paymentReference + "\x00" + refundID))
	return payment.NewReference(bytes.NewReader(h[:]))
}

// MaxRefunds bounds the refunds of one payment, those that failed included. All
// of them, with their events, fit into the one write that forgets a payer.
const MaxRefunds = 20

// Sentinels of New, to be tested with errors.Is.
var (
	ErrNoID    = errors.New("a refund has an id")
	ErrNoPayer = errors.New("the payment has no payer's number to transfer to")
	ErrNotPaid = errors.New("the payment has not succeeded")
	ErrOpen    = errors.New("the payment has a refund that has not ended")
	ErrTooMuch = errors.New("more than is left of the payment")
	ErrTooMany = fmt.Errorf("a payment has at most %d refunds", MaxRefunds)
)

// Ask is a refund as it is asked for.
type Ask struct {
	ID       string
	Amount   payment.Money // zero: all that is left
	Kind     Kind
	Reason   string
	Operator string
	At       time.Time
}

// Left is what can still be given back.
func Left(p payment.Payment) payment.Money {
	return payment.Money{Minor: p.Amount.Minor - p.Refunds.Reserved, Currency: p.Amount.Currency}
}

// New makes a refund, and takes its amount from what can still be given back.
// Both must be stored together, under the version of the payment that was read.
func New(p payment.Payment, a Ask) (payment.Payment, Refund, error) {
	left := Left(p)
	if a.Amount == (payment.Money{}) {
		a.Amount = left
	}
	switch {
	case a.ID == "":
		return p, Refund{}, ErrNoID
	case p.Status != payment.Successful:
		return p, Refund{}, ErrNotPaid
	case a.Kind == ByTransfer && (p.Payer == "" || p.Payer == payment.Forgotten):
		return p, Refund{}, ErrNoPayer
	case p.Refunds.Open != "":
		return p, Refund{}, ErrOpen
	case a.Amount.Currency != left.Currency || a.Amount.Minor < 1 || a.Amount.Minor > left.Minor:
		return p, Refund{}, ErrTooMuch
	case p.Refunds.Count >= MaxRefunds:
		return p, Refund{}, ErrTooMany
	}
	p.Refunds = payment.Refunds{Reserved: p.Refunds.Reserved + a.Amount.Minor, Open: a.ID, Count: p.Refunds.Count + 1}
	return p, Refund{
		ID: a.ID, Payment: p.Reference, Reference: ReferenceFor(p.ClientID, p.Reference, a.ID), ClientID: p.ClientID,
		Kind: a.Kind, Amount: a.Amount, Reason: a.Reason, Operator: a.Operator,
		Status: Pending, CreatedAt: a.At, UpdatedAt: a.At, NextCheckAt: a.At,
	}, nil
}

// Announcement is the callback body of the event of p's refund r, both being as
// the event left them.
func Announcement(p payment.Payment, r Refund) []byte {
	n := payment.RefundNotice{
		RefundID: r.ID, Status: string(r.Status), Amount: r.Amount.Decimal(), Currency: r.Amount.Currency,
		RefundedAmount: payment.Money{Minor: p.Refunds.Reserved, Currency: p.Amount.Currency}.Decimal(),
	}
	if r.FinancialTransactionID != "" {
		n.FinancialTransactionID = &r.FinancialTransactionID
	}
	if r.Status == Failed {
		n.ProviderCode = &r.Code
	}
	return payment.RefundAnnouncement(p, r.event(), p.Sequence, r.EndedAt, n)
}

// event names the announcement of an ending.
func (r Refund) event() payment.Event {
	if r.Status == Successful {
		return payment.EventRefundSuccessful
	}
	return payment.EventRefundFailed
}
