package main

import (
	"strings"
	"time"

	"momoproxy/infra/statement"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// differenceKind is in what a provider's file, the ledger and the callbacks that
// the app confirmed differ.
type differenceKind string

// In the order in which they are shown.
const (
	notInLedger       differenceKind = "not_in_ledger"
	paidButTimedOut   differenceKind = "paid_there_timed_out_here"
	paidButFailed     differenceKind = "paid_there_failed_here"
	paidTwice         differenceKind = "paid_twice_there"
	paidButOpen       differenceKind = "paid_there_open_here"
	amountDiffers     differenceKind = "amount_differs"
	otherAccount      differenceKind = "other_account"
	ambiguous         differenceKind = "ambiguous"
	paidHereAlone     differenceKind = "paid_here_failed_there"
	notInFile         differenceKind = "in_ledger_not_in_file"
	refundNotInLedger differenceKind = "refund_not_in_ledger"
	toldOtherwise     differenceKind = "app_told_otherwise"
	notTold           differenceKind = "app_not_told"
	failedButOpen     differenceKind = "failed_there_open_here"
	unreadableRow     differenceKind = "unreadable_row"
)

var differenceKinds = []differenceKind{
	notInLedger, paidButTimedOut, paidButFailed, paidTwice, paidButOpen, amountDiffers, otherAccount, ambiguous,
	paidHereAlone, notInFile, refundNotInLedger, toldOtherwise, notTold, failedButOpen, unreadableRow,
}

// askable are those in which the provider's own answer may correct the ledger.
var askable = map[differenceKind]bool{
	paidButTimedOut: true, paidButFailed: true, paidButOpen: true, amountDiffers: true, paidHereAlone: true, notInFile: true, failedButOpen: true,
}

// difference is one, with what each of the three sides says.
type difference struct {
	Kind differenceKind `json:"kind"`

	// The file.
	Line          int       `json:"line,omitempty"`
	At            time.Time `json:"at,omitzero"`
	Amount        string    `json:"amount,omitempty"`
	Currency      string    `json:"currency,omitempty"`
	TransactionID string    `json:"transactionId,omitempty"`
	ProviderID    string    `json:"providerId,omitempty"`
	StatementID   string    `json:"statementId,omitempty"`
	Detail        string    `json:"detail,omitempty"`

	// The ledger.
	Reference    string    `json:"referenceId,omitempty"` // without a status: the file's alone
	ClientID     string    `json:"clientId,omitempty"`
	ExternalID   string    `json:"externalId,omitempty"`
	Account      string    `json:"account,omitempty"`
	Status       string    `json:"status,omitempty"`
	LedgerAmount string    `json:"ledgerAmount,omitempty"`
	EndedAt      time.Time `json:"endedAt,omitzero"`

	// The last ending that the app confirmed. Empty: none.
	Told   string    `json:"told,omitempty"`
	ToldAt time.Time `json:"toldAt,omitzero"`
	// Delivery is the state of the latest event.
	Delivery string `json:"delivery,omitempty"`

	// What --apply did.
	Asked     bool   `json:"asked,omitempty"`
	Answer    string `json:"answer,omitempty"` // why there is none, or the status that it left
	Corrected bool   `json:"corrected,omitempty"`
}

func ofRow(k differenceKind, r statement.Row) difference {
	d := difference{
		Kind: k, Line: r.Line, At: r.At, TransactionID: r.TransactionID, ProviderID: r.ProviderID, StatementID: r.StatementID,
		Reference: r.Reference, Detail: r.Fault,
	}
	if r.Amount.Currency != "" {
		d.Amount, d.Currency = r.Amount.Decimal(), r.Amount.Currency
	}
	return d
}

// beside adds what the ledger holds and what the app confirmed.
func (d difference) beside(s ledger.Story) difference {
	p := s.Payment
	d.Reference, d.ClientID, d.ExternalID, d.Account = p.Reference, p.ClientID, p.ExternalID, p.AccountID()
	d.Status, d.LedgerAmount, d.EndedAt = strings.TrimSpace(string(p.Status)+" "+string(p.Phase)), p.Amount.String(), p.EndedAt
	for _, v := range s.Deliveries {
		if _, ending := endings[v.Event]; !ending {
			continue
		}
		if d.Delivery = string(v.State); !v.DeliveredAt.IsZero() {
			d.Told, d.ToldAt = string(v.Event), v.DeliveredAt
		}
	}
	return d
}

// endings are the events that announce a payment's ending.
var endings = map[payment.Event]payment.Status{
	payment.EventSuccessful: payment.Successful, payment.EventFailed: payment.Failed,
	payment.EventTimeout: payment.Timeout, payment.EventCancelled: payment.Cancelled,
}

// compare says in what a row and its payment differ; nil: in nothing. account,
// unless it is empty, is the one that the file is of. refunds, in minor units, are
// those of the payment in the file, up to a row that is a refund.
func compare(r statement.Row, s ledger.Story, account string, refunds int64) *difference {
	p := s.Payment
	found := func(k differenceKind) *difference {
		d := ofRow(k, r).beside(s)
		return &d
	}
	switch {
	case account != "" && p.AccountID() != account:
		return found(otherAccount)
	case r.Kind == statement.Refund:
		if !r.Paid || refunded(s).Minor >= refunds && p.Amount.Currency == r.Amount.Currency {
			return nil
		}
		return found(refundNotInLedger)
	case !r.Paid && p.Status == payment.Successful:
		return found(paidHereAlone)
	case !r.Paid && p.Open():
		return found(failedButOpen)
	case !r.Paid:
		return nil
	case p.Status == payment.Timeout:
		return found(paidButTimedOut)
	case p.Open():
		return found(paidButOpen)
	case p.Status != payment.Successful:
		return found(paidButFailed)
	case p.Amount != r.Amount:
		return found(amountDiffers)
	}
	d := found(notTold)
	switch d.Told {
	case string(payment.EventSuccessful):
		return nil
	case "":
	default: // an ending that was corrected since
		d.Kind = toldOtherwise
	}
	return d
}

// refunded is what was given back of a payment.
func refunded(s ledger.Story) payment.Money {
	sum := payment.Money{Currency: s.Payment.Amount.Currency}
	for _, r := range s.Refunds {
		if r.Status == refund.Successful {
			sum.Minor += r.Amount.Minor
		}
	}
	return sum
}
