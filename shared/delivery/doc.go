// Package delivery says what a delivery and an endpoint are and how they
// change: the schedule of attempts, the table of outcomes, and the circuit
// breaker of an endpoint. It is pure; package forwarder does the I/O.
//
// An event has a schedule, an endpoint has a circuit breaker, and they meet so:
// an event that falls due while its endpoint's circuit is open is held, which
// costs it nothing. When the endpoint is back it is let go, and its schedule
// goes on with the attempt that was due. So an outage uses up a schedule only
// as far as the attempts that were really made. Probes are made with held
// events, in turn, and are not charged to them. An attempt that somebody asked
// for stands beside both: it is made even while the circuit is open, its
// failure changes nothing, and its success closes the circuit.
//
// A circuit opens when attempts have failed, and one that hangs takes ten
// seconds to. So attempts that are left waiting count before that: a few of
// them, with no answer to any, put off the endpoint's further events until it
// is known what became of them.
//
// Within one payment an event waits for the earlier ones: for one that is due
// or waiting, and for one that is held for its endpoint. One that is exhausted,
// or held for something that only an operator can mend, holds up nobody.
package delivery
