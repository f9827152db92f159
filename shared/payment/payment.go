package payment

import (
	"cmp"
	"time"
)

// Status is one of the contract's six public words.
type Status string

// PENDING and ONGOING are open, the others are endings.
const (
	Pending    Status = "PENDING"
	Ongoing    Status = "ONGOING"
	Successful Status = "SUCCESSFUL"
	Failed     Status = "FAILED"
	Timeout    Status = "TIMEOUT"
	Cancelled  Status = "CANCELLED"
)

// Statuses lists every status in the order a payment can reach them.
var Statuses = []Status{Pending, Ongoing, Successful, Failed, Timeout, Cancelled}

// Ended says whether the status is an ending. Only SUCCESSFUL is absorbing:
// the others can still be corrected to SUCCESSFUL by the provider's own
// status answer.
func (s Status) Ended() bool {
	return s == Successful || s == Failed || s == Timeout || s == Cancelled
}

// Phase says what an open payment waits for. It is empty once a payment has
// ended.
type Phase string

const (
	// PhaseSubmitting: the payment is stored and the provider may or may not
	// have been asked yet. A crash leaves a payment here; reconciliation
	// takes it over when SubmitDeadline has passed.
	PhaseSubmitting Phase = "submitting"
	// PhaseAwaitingPayer: the provider has accepted it.
	PhaseAwaitingPayer Phase = "awaiting_payer"
	// PhaseInReconciliation: the provider's answer to the request is unknown;
	// the payment stays open until evidence ends it.
	PhaseInReconciliation Phase = "in_reconciliation"
	// PhaseHeld: the evidence contradicts the payment (amount, currency,
	// payer); an operator has to look. No success is announced.
	PhaseHeld Phase = "held"
)

// Payment is one request to pay. It is a value: Decide returns a changed
// copy. Times are UTC.
type Payment struct {
	Reference  string // UUID v4; at MTN also the X-Reference-Id
	ClientID   string
	ExternalID string // the app's own order id
	Provider   string
	Account    string // the one that made it; empty: the one named like its provider
	Method     string // one of the provider's; empty where it has but one
	Amount     Money
	Payer      MSISDN // empty where the method needs none

	PayerMessage string
	PayeeNote    string
	CallbackURL  string // per-request override; empty for the client's own
	// NativeCallbacks: the app wants the provider's own payloads instead of
	// the announcements.
	NativeCallbacks bool
	Metadata        map[string]string // returned to the app unchanged

	Particulars // what the provider has told

	Status                 Status
	Phase                  Phase
	FinancialTransactionID string      // the provider's id of the moved money
	Reason                 string      // why it ended so: the provider's code where there is one
	FailureCode            FailureCode // why it ended so, in our words; empty while open, and of a success
	Sequence               int         // number of the latest event; 0 before the first

	Refunds Refunds // what was given back, or may be

	CreatedAt      time.Time
	UpdatedAt      time.Time
	EndedAt        time.Time // zero while open
	EndedBy        Source    // what ended it; empty while open
	SubmitDeadline time.Time // until then a request may still be at work on it

	// Accepted: the provider has confirmed that it knows this reference.
	Accepted bool
	// Unanswerable: the outcome is unknown and the provider offers no way to
	// ask for it. An operator's word ends it, or a message of the provider's own.
	Unanswerable bool
	// NotFoundCount and NotFoundAt: how often, and when last, the provider
	// said it does not know a reference it never confirmed.
	NotFoundCount int
	NotFoundAt    time.Time

	// HintedAt is when a callback first claimed an ending that the provider
	// did not confirm when asked; zero without one. It makes checks come soon.
	HintedAt time.Time

	// Checks counts status questions answered or tried since creation;
	// CheckedAt is the latest. NextCheckAt is when reconciliation asks next;
	// zero when nothing is left to ask.
	Checks      int
	CheckedAt   time.Time
	NextCheckAt time.Time
}

// Refunds sums up a payment's refunds. Package refund alone changes it.
type Refunds struct {
	Reserved int64  // minor units: of every refund that has not failed
	Open     string // the id of the one that has not ended; empty: none
	Count    int    // every refund ever asked for
}

// Open says whether the payment waits for an ending.
func (p Payment) Open() bool { return !p.Status.Ended() }

// AccountID is the id of the account that made the payment.
func (p Payment) AccountID() string { return cmp.Or(p.Account, p.Provider) }
