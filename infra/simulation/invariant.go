package simulation

// Invariant names something that must always hold.
type Invariant string

// What a run checks. The first thirteen are the system's promises; the others
// keep the simulation itself honest.
const (
	// ChargedOnce: a provider is asked to charge at most once per reference,
	// and an order is never paid twice unless a correction is on record.
	ChargedOnce Invariant = "charged once"
	// EventsOnce: an ended payment has exactly one event per sequence number,
	// delivered at least once or visibly exhausted or held.
	EventsOnce Invariant = "one event per sequence"
	// NoForgery: no SUCCESSFUL event unless the money has moved.
	NoForgery Invariant = "no forged success"
	// InTime: every payment reaches its true end within the reconcile bound.
	InTime Invariant = "ended in time"
	// Evidence: no ending without evidence, or our clock for TIMEOUT.
	Evidence Invariant = "ended on evidence"
	// Addresses: no connection reaches a non-public address. No simulated
	// connection leaves the process; the guard's own tests hold it to this.
	Addresses Invariant = "public addresses only"
	// Secrets: an old secret verifies during the overlap, never after; the
	// newest always.
	Secrets Invariant = "old secrets end"
	// DeadEndpoints: an endpoint's attempts, in all and in a day, are bounded.
	DeadEndpoints Invariant = "dead endpoints cost little"
	// Separation: no app sees another's payments or events.
	Separation Invariant = "apps are separate"
	// Limits: the provider is never asked more often than it takes.
	Limits Invariant = "provider limits"
	// OwnAccount: every question about a payment goes to the account that made
	// it, through any change of accounts.
	OwnAccount Invariant = "asked at its account"
	// Refunds: what is refunded never exceeds what was paid, a refund is sent
	// once and of what was paid, and what is told of it is true.
	Refunds Invariant = "refunds"

	// Requests: an app gets no more requests through than its limit allows,
	// over all instances.
	Requests Invariant = "request limits"

	// Answers: what an app received stays true.
	Answers Invariant = "answers stay true"
	// Audited: every state change has its audit record.
	Audited Invariant = "changes are audited"
	// Follows: where a payment stands follows from its audit trail alone.
	Follows Invariant = "follows from its evidence"
	// Available: once the faults have stopped payments work again.
	Available Invariant = "works again"
	// Oracle: a callback's answer tells a forger nothing.
	Oracle Invariant = "no oracle"
	// Rest: the system comes to rest.
	Rest Invariant = "comes to rest"
	// NoPanic: nothing panics, or asks an adapter for what it must refuse.
	NoPanic Invariant = "no panic"
)
