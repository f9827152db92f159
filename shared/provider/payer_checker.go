package provider

import (
	"context"

	"momoproxy/shared/payment"
)

// Activity says whether a payer has an account that can pay.
type Activity string

// What a provider says of a payer's account. Whatever is not its documented yes
// or no is unknown.
const (
	Active          Activity = "yes"
	Inactive        Activity = "no"
	ActivityUnknown Activity = "unknown"
)

// PayerChecker is an adapter whose provider says whether a payer's account is
// active.
type PayerChecker interface {
	// PayerActive asks by one request at the most, tokens left out. It never
	// fails: why says, without naming the payer, what made it unknown. It fetches
	// nothing else about the payer, and leaves no exchange: its address holds the
	// number.
	PayerActive(ctx context.Context, payer payment.MSISDN) (active Activity, why string)
}

// ChecksPayers is p as a PayerChecker, if it is one, whatever is around it.
func ChecksPayers(p Provider) (PayerChecker, bool) { return within[PayerChecker](p) }
