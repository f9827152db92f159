// Package delivery says what a delivery and an endpoint are and how they
// change: the schedule of attempts, the table of outcomes, and the circuit
// breaker of an endpoint. It is pure; package forwarder does the I/O.
//
// An event has a schedule and an endpoint has a circuit breaker. An event that
// is due while its endpoint's circuit is open is held, at no cost to its
// schedule. When the endpoint recovers the event is released, and its schedule
// continues with the attempt that was due. Probes are made with held events,
// one after the other, and do not count against the schedule. A requested
// attempt is independent of both: it is made even while the circuit is open,
// its failure changes nothing, and its success closes the circuit.
//
// A circuit opens when attempts have failed, and an attempt that hangs takes
// ten seconds to fail. So a client's unanswered attempts are counted, over all
// its endpoints, and those over a limit are postponed.
//
// Within one payment an event waits for the earlier ones: for one that is due
// or waiting, and for one that is held for its endpoint. One that is exhausted,
// or held for an operator, blocks nothing.
package delivery
