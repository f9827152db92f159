package provider

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"momoproxy/shared/payment"
)

// Examiner is what an adapter may know about its account beyond what holds for
// every provider. momoctl doctor asks it; nothing on a payment's path does. The
// adapter that a Registration's New makes implements it, or does not.
type Examiner interface {
	// Examine checks the account by questions that change nothing.
	Examine(ctx context.Context, s Surroundings) []Finding
	// Learned says which open questions of the provider's page under
	// docs/providers one payment has answered.
	Learned(p payment.Payment, seen []Seen) []Finding
}

// Examines is p as an Examiner, if it is one, whatever is around it.
func Examines(p Provider) (Examiner, bool) { return within[Examiner](p) }

// TokenTrier is an adapter whose provider gives a token for its credentials.
type TokenTrier interface {
	// TryToken asks for a token, whatever token is in hand, and keeps none. It
	// may take half a minute. Its errors are those of Ready.
	TryToken(ctx context.Context) error
}

// TriesToken is p as a TokenTrier, if it is one, whatever is around it.
func TriesToken(p Provider) (TokenTrier, bool) { return within[TokenTrier](p) }

func within[T any](p Provider) (found T, ok bool) {
	for {
		if found, ok = p.(T); ok {
			return found, true
		}
		outer, wrapped := p.(interface{ Unwrap() Provider })
		if !wrapped {
			return found, false
		}
		p = outer.Unwrap()
	}
}

// Surroundings are what an account is examined in. What is not known is zero.
type Surroundings struct {
	CallbackHost string            // of the public base URL, without scheme, port or path
	Certificate  *x509.Certificate // that the callback host shows
	// Address is where our calls come from, as others see it; Fixed: it stays.
	Address string
	Fixed   bool
	Payer   payment.MSISDN // a number of the operator's own
}

// Finding is what one check found, and what to do about it.
type Finding struct {
	Check string       `json:"check"` // in snake_case
	State FindingState `json:"state"`
	Found string       `json:"found"`
	Next  string       `json:"next,omitempty"` // the next step; empty: none
	// Mail is the sentence to send to the provider's account manager.
	Mail string `json:"mail,omitempty"`
}

// FindingState says how bad it is.
type FindingState string

const (
	Fine    FindingState = "ok"
	Fault   FindingState = "fault"   // payments or callbacks will fail
	Doubt   FindingState = "warning" // they may
	Unknown FindingState = "unknown" // it cannot be seen from here
)

// Seen is one exchange of a payment's audit trail.
type Seen struct {
	At       time.Time
	Callback bool // it came from the provider; else we asked
	Exchange
}

// KeyCheck judges the answer to a status question about a payment that is not
// there, which is all that some providers let one ask without a charge.
func KeyCheck(a Answer) Finding {
	f := Finding{Check: "api_key", State: Fine, Found: "the key is taken"}
	answered := 0
	for _, x := range a.Exchanges {
		answered = x.Code
	}
	switch e := a.Evidence; {
	case answered == 0:
		f.State, f.Found, f.Next = Fault, "no answer: "+e.Reason, "Is the base URL right, and is the provider up?"
	case e.AccountFault:
		f.State, f.Found, f.Next = Fault, "refused: "+cmp.Or(e.Code, e.Reason), "Compare the key with the provider's dashboard: is it this environment's, and is this server allowed to use it?"
	case e.Verdict != payment.SaysNotFound:
		f.State, f.Found, f.Next = Doubt, fmt.Sprintf("HTTP %d %s to a question about a payment that is not there", answered, e.Code), "The provider does not document this answer. Make one small payment."
	}
	return f
}
