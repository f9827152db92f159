// Package provider is the port to a mobile-money provider. Each provider is
// an adapter (provider/mtn, …) that turns the provider's ways into
// payment.Evidence and decides nothing itself. Adapters are judged by
// provider/providertest.
package provider

import (
	"cmp"
	"context"
	"errors"
	"time"

	"momoproxy/shared/payment"
)

// Capabilities are the facts the rest of the system needs to know about a
// configured provider account. They never change while a process runs.
type Capabilities struct {
	Name string // as in the API: "mtn"
	// Account is the account's id; empty: it is the only one, and its id is
	// the provider's name.
	Account  string
	Currency string             // the account's ISO 4217 code
	Plan     payment.NumberPlan // whose mobile numbers it takes
	// TestPayer says whether digits are a payer that the provider documents for
	// tests, beside those of Plan. Nil: there is none.
	TestPayer func(digits string) bool
	// Predicts says whether digits, a number that the account takes, probably are
	// of a payer whom the provider serves. It is a guess and refuses nothing.
	// Nil: one who serves every number that it takes.
	Predicts   func(digits string) bool
	Production bool // real money moves
	// BaseURL is where requests go. No app's callback may be sent there.
	BaseURL string
	// AuditName stands for PROVIDER where the directions of audit records are
	// shown; empty: none does.
	AuditName string
	// MinorUnits: the provider itself names amounts in minor units.
	MinorUnits bool

	// Methods are the ways to pay; at least one. A provider that has but one
	// leaves its Name empty.
	Methods []Method
	// DefaultMethod is taken when an app names none; empty with several
	// methods: the app has to choose.
	DefaultMethod string

	// The provider's limits, over everybody who shares the account: of
	// submissions and of status questions. A limit of both together is split
	// between them, so that neither can use up the other's. A zero Limit is
	// none.
	Submits, Statuses Limit
}

// Method is one way to pay at a provider.
type Method struct {
	Name   string         // as in the API: "reference"
	Policy payment.Policy // windows and check schedule
	// MinPollInterval is the least time between two status questions about
	// one payment. Where it is not Strict the provider's own callback may
	// lead to a question sooner.
	MinPollInterval time.Duration
	Strict          bool // the provider itself demands MinPollInterval
	NeedsPayer      bool // the payer's number has to be known
	// Invoice: what the method takes of an invoice's lines and customer.
	Invoice InvoiceLimits
	// LongestExpiry is how far ahead an app may say that the payer can pay no
	// longer; 0: the method takes no such time.
	LongestExpiry time.Duration
	// Off: no new payments by this method; those there are go on.
	Off bool
}

// Limit is a rate that a provider takes: one each Every on average, and
// Burst more at once. Zero: no known limit.
type Limit struct {
	Every time.Duration
	Burst int
}

// ID is the account's id.
func (c Capabilities) ID() string { return cmp.Or(c.Account, c.Name) }

// Method finds a method by the name that a payment carries. A payment of a
// method that is not known any more is treated as one of the first.
func (c Capabilities) Method(name string) Method {
	for _, m := range c.Methods {
		if m.Name == name {
			return m
		}
	}
	return c.Methods[0]
}

// MaxBody bounds a body of a provider's, an answer or a callback, in bytes. A
// longer one is not used. What is used is kept whole in the audit log: nothing
// is decided on what the log lacks.
const MaxBody = 64 << 10

// Exchange is one HTTP exchange with the provider, for the audit log. The
// adapter leaves out headers; bodies hold no credentials. Code is 0 when no
// answer came.
type Exchange struct {
	Method       string
	URL          string
	RequestBody  string
	Code         int
	ResponseBody string // at most MaxBody
	Started      time.Time
	Duration     time.Duration
	Err          string // class of the transport error: ErrClassTimeout, "reset", …
	Repeated     bool   // the provider says that its answer repeats an earlier one
}

// ErrClassTimeout is the Exchange.Err of an answer that did not come in time.
const ErrClassTimeout = "timeout"

// Answer is what a call to the provider brought.
type Answer struct {
	Evidence  payment.Evidence
	Exchanges []Exchange // every attempt, oldest first
	// AskAgain (Status only): nothing was learned, and asking once more, as a
	// question of its own under the provider's limits, is likely to help: the
	// connection had gone stale, or the token had.
	AskAgain bool
	// RetryAfter (Submit only) is the wait that the provider's last answer asks
	// for; 0: none.
	RetryAfter time.Duration
	// Attempted is false when it is certain that the provider was never
	// asked (no credentials, no token). Then Evidence says nothing.
	Attempted bool
}

// Inbound is a callback as it arrived.
type Inbound struct {
	Token  string                   // the secret part of its path; empty: none
	Header func(name string) string // any case; nil: none
	Body   []byte
	At     time.Time // when it arrived
}

// Standing says who can have sent a callback.
type Standing int

const (
	// Anonymous: anybody.
	Anonymous Standing = iota
	// Known: somebody who knows a secret that only the provider was given.
	Known
	// Signed: the provider, by its signature over the body. Such a callback
	// is evidence; every other is a hint.
	Signed
)

// Callback is what a callback claims.
type Callback struct {
	// IDs are every id found in it that might be a payment's reference or
	// the app's own order id, and ProviderIDs those that might be ids of the
	// provider's, in the order in which they should be tried.
	IDs         []string
	ProviderIDs []string
	Standing    Standing
	Type        string           // the provider's name of the event; empty: none
	Evidence    payment.Evidence // what it means if it is true
}

// Provider is the port. All methods are safe for concurrent use and honour
// the context's deadline.
type Provider interface {
	Capabilities() Capabilities

	// Ready makes sure that credentials are in hand, without naming a
	// payment. It is called before a payment is created: an error means no
	// payment is. It wraps ErrCredentials or ErrUnavailable, and comes within
	// three seconds.
	Ready(ctx context.Context) error

	// Maintain is called once a minute by the schedule. It does ahead of time
	// what Ready would otherwise have to do while a payer waits, and may take
	// half a minute for it. Its errors are those of Ready.
	Maintain(ctx context.Context) error

	// Submit asks the provider to charge p.Payer under p.Reference, telling
	// it to call callbackURL (empty: none; not every provider takes one).
	// It is called once for a payment. Repeats, where the adapter makes
	// them, are bounded and carry the same reference; a provider that cannot
	// tell a repeat gets none. It never fails: what
	// is not known for certain is payment.SaysNothing. SaysRefused is
	// returned only when no earlier attempt under this reference can have
	// been accepted.
	Submit(ctx context.Context, p payment.Payment, callbackURL string) Answer

	// Status asks the provider about p by one request at the most, tokens
	// left out. It never fails, as Submit.
	// Where the provider offers no way to ask about p, it says
	// payment.SaysUnanswerable, or, where the payer cannot have paid,
	// payment.SaysNothing, without an attempt.
	Status(ctx context.Context, p payment.Payment) Answer

	// ParseCallback reads a callback. It never panics and takes every shape
	// the provider is known to send. A signature is verified over the body's
	// bytes before they are parsed; one that does not verify gives an error
	// that wraps ErrSignature. A body without meaning gives one that wraps
	// ErrCallback, and the Standing is set all the same. Evidence.Source is
	// FromSignedWebhook or FromCallback, as the Standing.
	ParseCallback(in Inbound) (Callback, error)

	// Native writes p's event in the provider's own form, for an app that
	// wants that. raw is the authentic callback that led to it, to be passed
	// on unchanged if it says just that of p; nil if there was none: then
	// what the provider would have sent is written. nil: the provider has no
	// word for such an event.
	Native(p payment.Payment, e payment.Event, raw []byte) []byte
}

// Evidence.Codes of our own, where the provider's answer has no code.
const (
	// CodeCredentials: the provider refused our credentials.
	CodeCredentials = "CREDENTIALS"
	// CodeDuplicate, of a SaysNothing: the answer is likely that of a duplicate.
	// It proves nothing; it only changes the answer to the app.
	CodeDuplicate = "LIKELY_DUPLICATE"
	// CodeLimitSpent, of a SaysRefused: the request limit was spent, so that
	// nothing was begun.
	CodeLimitSpent = "REQUEST_LIMIT_SPENT"
)

// Sentinels, to be tested with errors.Is.
var (
	ErrCredentials = errors.New("provider refused the credentials")
	ErrUnavailable = errors.New("provider unavailable")
	ErrCallback    = errors.New("unreadable callback")
	ErrSignature   = errors.New("callback's signature does not verify")
)
