package simulation

import (
	"time"

	"momoproxy/infra/standin/core"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

// books are what the simulation itself keeps, to judge by.
type books struct {
	calmAt      time.Time
	skew        time.Duration // how far a clock may have been off
	invocations int
	messages    int

	order    []string                  // references in the order of their creation
	payments map[string]ledger.Payment // as last written
	deliver  map[string]int            // events made per reference
	created  map[string]time.Time      // in true time

	asker   map[string]*invocation // who asked the provider for it
	content map[string]string      // and with what
	plans   map[string]core.Script
	lies    map[string][]string // told in answers
	refused map[string]bool     // an app was told so
	success map[string]bool     // an app has seen it succeed
	called  map[string]bool     // in calm, the provider called about its success
	keys    map[string]string   // app and Idempotency-Key to reference
	late    []lateness
	// delivered are the events that an app has taken, state the endpoints as
	// last written.
	delivered map[string]bool
	state     map[table.Key]any
	entered   map[table.Key]time.Time // when an event was stored
	written   map[table.Key]time.Time // when a record was last written

	requests, submits window                    // to Mom Factura
	asked             map[string]time.Time      // by reference, when Mom Factura was last asked about it
	factura           map[string]string         // reference to the payment at Mom Factura
	alias             []string                  // ids of Mom Factura's and what they are shown as, in turn
	ids               []string                  // every id that any provider gave a payment
	saw               map[saying]bool           // what a provider could truly say at some time
	sent              map[string]bool           // a request to pay has left
	told              map[string]time.Time      // when a provider last gave an id
	untold            map[string]time.Time      // when a request was last answered without an id
	events            map[string]made           // by event id
	corrected         map[string]bool           // ended otherwise and was corrected
	word              map[string]payment.Status // an operator's, by reference
	refundBooks
}

// made is an event as the system has made it, at a time by no function's clock.
type made struct {
	reference string
	sequence  int
	event     payment.Event
	at        time.Time
}

// lateness is how long after its true end a payment was ended, in calm.
type lateness struct {
	reference string
	by, age   time.Duration
}

func newBooks() books {
	return books{
		payments: map[string]ledger.Payment{}, deliver: map[string]int{}, created: map[string]time.Time{},
		asker: map[string]*invocation{}, content: map[string]string{}, plans: map[string]core.Script{},
		lies: map[string][]string{}, refused: map[string]bool{}, success: map[string]bool{}, called: map[string]bool{}, keys: map[string]string{},
		delivered: map[string]bool{}, state: map[table.Key]any{}, entered: map[table.Key]time.Time{}, written: map[table.Key]time.Time{},
		asked: map[string]time.Time{}, told: map[string]time.Time{}, untold: map[string]time.Time{}, sent: map[string]bool{}, factura: map[string]string{}, saw: map[saying]bool{}, events: map[string]made{},
		corrected: map[string]bool{}, word: map[string]payment.Status{}, refundBooks: newRefundBooks(),
	}
}
