package simulation

import (
	"time"

	"momoproxy/infra/sandbox"
	"momoproxy/shared/ledger"
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
	plans   map[string]sandbox.Plan
	lies    map[string][]sandbox.Fault // told in status answers
	refused map[string]bool            // an app was told so
	success map[string]bool            // an app has seen it succeed
	called  map[string]bool            // in calm, the provider called about its success
	keys    map[string]string          // app and Idempotency-Key to reference
	late    []lateness
	// delivered are the events that an app has taken, state the endpoints as
	// last written.
	delivered map[string]bool
	state     map[table.Key]any
	recent    []time.Time // status questions of the last second
}

// lateness is how long after its true end a payment was ended, in calm.
type lateness struct {
	reference string
	by, age   time.Duration
}

func newBooks() books {
	return books{
		payments: map[string]ledger.Payment{}, deliver: map[string]int{}, created: map[string]time.Time{},
		asker: map[string]*invocation{}, content: map[string]string{}, plans: map[string]sandbox.Plan{},
		lies: map[string][]sandbox.Fault{}, refused: map[string]bool{}, success: map[string]bool{}, called: map[string]bool{}, keys: map[string]string{},
		delivered: map[string]bool{}, state: map[table.Key]any{},
	}
}

// questions counts a status question as it leaves: how many did within a
// second.
func (b *books) questions(now time.Time) int {
	kept := b.recent[:0]
	for _, t := range b.recent {
		if now.Sub(t) < time.Second {
			kept = append(kept, t)
		}
	}
	b.recent = append(kept, now)
	return len(b.recent)
}
