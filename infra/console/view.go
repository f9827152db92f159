package console

import (
	"time"

	"momoproxy/shared/payment"
)

// What the pages are made of. Nothing here knows how the product stores it;
// records.go does.

// Payment is a payment as a page shows it. Its number is masked.
type Payment struct {
	Reference     string              `json:"reference"`
	App           string              `json:"app"`
	AppName       string              `json:"appName"`
	Order         string              `json:"order"`
	Provider      string              `json:"provider"`
	ProviderName  string              `json:"providerName"`
	Account       string              `json:"account"`
	Method        string              `json:"method,omitempty"`
	Amount        string              `json:"amount"` // as people write it: E150.00
	Payer         string              `json:"payer,omitempty"`
	PayerMessage  string              `json:"payerMessage,omitempty"`
	PayeeNote     string              `json:"payeeNote,omitempty"`
	Metadata      map[string]string   `json:"metadata,omitempty"`
	ProviderIDs   map[string]string   `json:"providerIds,omitempty"`
	Instructions  map[string]string   `json:"instructions,omitempty"`
	InvoiceURL    string              `json:"invoiceUrl,omitempty"`
	Status        string              `json:"status"`
	Phase         string              `json:"phase,omitempty"`
	Reason        string              `json:"reason,omitempty"`
	FailureCode   payment.FailureCode `json:"failureCode,omitempty"`
	TransactionID string              `json:"transactionId,omitempty"`
	EndedBy       string              `json:"endedBy,omitempty"`
	CreatedAt     time.Time           `json:"createdAt"`
	EndedAt       time.Time           `json:"endedAt,omitzero"`
	CheckedAt     time.Time           `json:"checkedAt,omitzero"`
	NextCheckAt   time.Time           `json:"nextCheckAt,omitzero"`
	ExpiresAt     time.Time           `json:"expiresAt,omitzero"`
	SubmittedBy   time.Time           `json:"-"` // until then its request may be under way
	Checks        int                 `json:"checks"`
	Accepted      bool                `json:"accepted"`
	Unanswerable  bool                `json:"unanswerable,omitempty"`

	number    string // the payer's, unmasked
	mayDouble bool   // it may be paid although it is settled as failed
	needsLook bool   // to settle it as failed, what the provider's portal shows must be said
}

// Open says that the payment has not ended.
func (p Payment) Open() bool { return p.EndedAt.IsZero() }

// Delivery is one event and where its delivery stands.
type Delivery struct {
	Reference     string    `json:"reference"`
	Sequence      int       `json:"sequence"`
	App           string    `json:"app"`
	AppName       string    `json:"appName"`
	Order         string    `json:"order,omitempty"`
	EventID       string    `json:"eventId"`
	Event         string    `json:"event"`
	State         string    `json:"state"`
	HeldReason    string    `json:"heldReason,omitempty"`
	HeldFor       string    `json:"heldFor,omitempty"` // the endpoint
	URL           string    `json:"url,omitempty"`
	Attempts      int       `json:"attempts"`
	LastCode      int       `json:"lastCode,omitempty"`
	LastError     string    `json:"lastError,omitempty"`
	CreatedAt     time.Time `json:"createdAt"`
	DeliveredAt   time.Time `json:"deliveredAt,omitzero"`
	NextAttemptAt time.Time `json:"nextAttemptAt,omitzero"`
	AskedAt       time.Time `json:"askedAt,omitzero"` // an attempt asked for by hand, not made yet

	body string // the bytes that are signed
}

// States of a delivery, as stored.
const (
	stateWaiting   = "waiting"
	stateDue       = "due"
	stateDelivered = "delivered"
	stateExhausted = "exhausted"
	stateHeld      = "held"
)

// Attempt is one try to deliver an event.
type Attempt struct {
	Sequence int
	Number   int
	Cause    string
	At       time.Time
	Took     time.Duration
	Code     int
	Error    string
	Answer   string
	Location string
	TLSFault string
}

// Exchange is one audit record of a payment.
type Exchange struct {
	At       time.Time
	From, To string // lanes
	Method   string
	URL      string
	Request  string
	Code     int
	Answer   string
	Kind     string // of our answer, if it has no code
	Took     time.Duration
	Note     string
	Unproven bool // a callback that anybody may have sent
}

// Story is everything that is kept of one payment.
type Story struct {
	Payment    Payment
	Deliveries []Delivery
	Attempts   []Attempt
	Exchanges  []Exchange
}

// App is a client of the API.
type App struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Active         bool      `json:"active"`
	Unreadable     bool      `json:"unreadable,omitempty"`
	CallbackURL    string    `json:"callbackUrl,omitempty"`
	CreatedAt      time.Time `json:"createdAt"`
	KeyUsedAt      time.Time `json:"keyUsedAt,omitzero"`
	OldKeyUntil    time.Time `json:"oldKeyUntil,omitzero"`
	OldSecretUntil time.Time `json:"oldSecretUntil,omitzero"`
}

// Endpoint is one origin of an app's callback URLs.
type Endpoint struct {
	App          string    `json:"app"`
	AppName      string    `json:"appName"`
	Origin       string    `json:"origin"`
	State        string    `json:"state"`
	Reason       string    `json:"reason,omitempty"`
	Failures     int       `json:"failures"`
	FailingSince time.Time `json:"failingSince,omitzero"`
	OpenedAt     time.Time `json:"openedAt,omitzero"`
	ProbeAt      time.Time `json:"probeAt,omitzero"`
	DisabledAt   time.Time `json:"disabledAt,omitzero"`
	ClosedAt     time.Time `json:"closedAt,omitzero"`
	Held         int       `json:"held"`
	HeldMore     bool      `json:"heldMore,omitempty"` // there are more than Held
}

// States of an endpoint, as stored.
const (
	endpointOpen     = "open"
	endpointDraining = "draining"
	endpointDisabled = "disabled"
)

// Provider is a provider's circuit and what today's payments show of it.
type Provider struct {
	Name         string    `json:"name"`
	DisplayName  string    `json:"displayName"`
	CircuitOpen  bool      `json:"circuitOpen"`
	OpenFor      string    `json:"openFor,omitempty"` // the one app that is kept out
	OpenedAt     time.Time `json:"openedAt,omitzero"`
	ProbeAt      time.Time `json:"probeAt,omitzero"`
	Failures     int       `json:"failures"`
	Started      int       `json:"started"`
	Paid         int       `json:"paid"`
	MedianMs     int64     `json:"medianMs,omitempty"` // from start to the end of those paid
	LastPaidAt   time.Time `json:"lastPaidAt,omitzero"`
	OpenPayments int       `json:"openPayments"`
	NoAnswer     int       `json:"noAnswer"`
	Down         bool      `json:"down,omitempty"`    // a stand-in that refuses everything
	Standin      bool      `json:"standin,omitempty"` // no real money
}

// backlog is how much stands where.
type backlog struct {
	unknown, held, exhausted, due int
	oldestUnknown, oldestOverdue  time.Duration
	truncated                     bool
	queued, dead                  int
	heartbeat                     time.Time
}

// refusal is an error whose reason is the state of things. Its text is for
// the person at the page.
type refusal string

func (r refusal) Error() string { return string(r) }

var notFound = refusal("There is no such record.")
