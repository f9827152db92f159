// Package provider is the port to a mobile-money provider. Each provider is
// an adapter (provider/mtn, …) that turns the provider's ways into
// payment.Evidence and decides nothing itself. Adapters are judged by
// provider/providertest.
package provider

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/payment"
)

// Capabilities are the facts the rest of the system needs to know about a
// configured provider account. They never change while a process runs.
type Capabilities struct {
	Name       string             // as in the API: "mtn"
	Currency   string             // the account's ISO 4217 code
	Plan       payment.NumberPlan // whose mobile numbers it takes
	Production bool               // real money moves
	Policy     payment.Policy     // windows and check schedule
	// MinPollInterval is the least time between two status questions about
	// one payment.
	MinPollInterval time.Duration
	// StatusSpacing is the least time between two status questions about any
	// payments, over everybody who shares the account; 0: no known limit.
	StatusSpacing time.Duration
	// CheckText reports what the provider refuses in payerMessage and
	// payeeNote, as a sentence for the app's developer; empty: fine.
	CheckText func(text string) string
}

// Exchange is one HTTP exchange with the provider, for the audit log. The
// adapter leaves out headers; bodies hold no credentials. Code is 0 when no
// answer came.
type Exchange struct {
	Method       string
	URL          string
	RequestBody  string
	Code         int
	ResponseBody string // at most 16 KiB
	Started      time.Time
	Duration     time.Duration
	Err          string // class of the transport error: "timeout", "reset", …
}

// Answer is what a call to the provider brought.
type Answer struct {
	Evidence  payment.Evidence
	Exchanges []Exchange // every attempt, oldest first
	// LikelyDuplicate: an answer the contract calls a duplicate (MTN 200).
	// It proves nothing; it only changes what the app is told.
	LikelyDuplicate bool
	// Attempted is false when it is certain that the provider was never
	// asked (no credentials, no token). Then Evidence says nothing.
	Attempted bool
}

// Callback is what an unsigned callback claims. It is a hint.
type Callback struct {
	// IDs are every id found in it that might name a payment, in the order
	// in which they should be tried.
	IDs      []string
	Evidence payment.Evidence // what it would mean if it were true
}

// Provider is the port. All methods are safe for concurrent use and honour
// the context's deadline.
type Provider interface {
	Capabilities() Capabilities

	// Ready makes sure that credentials are in hand, without naming a
	// payment. It is called before a payment is created: an error means no
	// payment is. It wraps ErrCredentials or ErrUnavailable.
	Ready(ctx context.Context) error

	// Submit asks the provider to charge p.Payer under p.Reference, telling
	// it to call callbackURL (empty: none). Repeats, where the adapter makes
	// them, are bounded and carry the same reference. It never fails: what
	// is not known for certain is payment.SaysNothing. SaysRefused is
	// returned only when no earlier attempt under this reference can have
	// been accepted.
	Submit(ctx context.Context, p payment.Payment, callbackURL string) Answer

	// Status asks the provider about p once. It never fails, as Submit.
	Status(ctx context.Context, p payment.Payment) Answer

	// ParseCallback reads a callback body. It never panics and takes every
	// shape the provider is known to send; a body without meaning gives an
	// error, which wraps ErrCallback.
	ParseCallback(body []byte) (Callback, error)
}

// CodeCredentials is the Evidence.Code of a SaysRefused that is about our
// account and not about the payment: an operator has to mend it.
const CodeCredentials = "CREDENTIALS"

// Sentinels, to be tested with errors.Is.
var (
	ErrCredentials = errors.New("provider refused the credentials")
	ErrUnavailable = errors.New("provider unavailable")
	ErrCallback    = errors.New("unreadable callback")
)
