package payment

import (
	"maps"
	"time"
)

// Particulars are what a provider tells about a payment besides where it
// stands. What is known is never replaced, only added to: a later answer
// that differs is another's, or a mistake.
type Particulars struct {
	// IDs are the provider's own ids of the payment, by the provider's names
	// for them ("operationId"). Webhooks and status questions use them. At
	// most MaxIDs, each at most MaxID bytes without control characters.
	IDs map[string]string
	// Instructions are what the payer needs in order to pay, by the names
	// under which an app reads them ("entity", "referenceNumber", "link").
	Instructions map[string]string
	// ExpiresAt is when the payer can no longer pay, by the provider's own
	// word; zero where it names none.
	ExpiresAt time.Time
	// InvoiceURL is where the provider has put the invoice of a payment that
	// succeeded.
	InvoiceURL string
}

// Bounds of Particulars; adapters keep them.
const (
	MaxIDs = 10
	MaxID  = 200 // bytes
)

// learn adds what is new in e to p, and says whether there was anything. An
// invoice is learned with a success only.
func learn(p *Payment, e Evidence) bool {
	ids, moreIDs := union(p.IDs, e.IDs)
	instructions, moreInstructions := union(p.Instructions, e.Instructions)
	p.IDs, p.Instructions = ids, instructions
	learned := moreIDs || moreInstructions
	if p.ExpiresAt.IsZero() && !e.ExpiresAt.IsZero() {
		p.ExpiresAt, learned = e.ExpiresAt, true
	}
	if e.Verdict == SaysSuccessful && p.Status == Successful && p.InvoiceURL == "" && e.InvoiceURL != "" {
		p.InvoiceURL, learned = e.InvoiceURL, true
	}
	return learned
}

// union returns known with what is missing of reported; known itself when
// nothing is. Neither map is written to: payments are values.
func union(known, reported map[string]string) (map[string]string, bool) {
	more := known
	for name, value := range reported {
		if _, ok := more[name]; ok || value == "" {
			continue
		}
		if len(more) == len(known) {
			more = maps.Clone(known)
			if more == nil {
				more = map[string]string{}
			}
		}
		more[name] = value
	}
	return more, len(more) > len(known)
}
