package delivery

import (
	"time"
)

const (
	// FailingAt is the failure in a row at which an operator is notified.
	FailingAt = 4
	// OpenAfter is how many failures in a row open an endpoint's circuit, if
	// more than one event is among them: one event alone may be one that the
	// app can never take.
	OpenAfter = 10
	// OpenAlone and aloneFor do so whatever events are among them: an app that
	// has taken nothing for so long is probed from then on, so that it has its
	// only event minutes after it is back, and not when the next of the
	// schedule's long waits is over. If that event is one which the app can
	// never take, the next is probed with in its turn, and closes the circuit.
	OpenAlone = 6
	aloneFor  = 30 * time.Minute
	// ProbeEvery is the time between two probes of an endpoint that stays
	// dead. The first ones come sooner: after 30 s, doubling.
	ProbeEvery = 5 * time.Minute
	firstProbe = 30 * time.Second
	// MaxProbesADay bounds what an open endpoint costs in any 24 hours: one
	// probe every ProbeEvery, and the sooner ones. Attempts that were under
	// way when it opened, or soon after in a process that had not heard, come
	// on top.
	MaxProbesADay = int(24*time.Hour/ProbeEvery) + 4
	// relapse is how soon after it came back an endpoint that fails again is
	// probed no sooner than every ProbeEvery: one that answers probes only
	// would otherwise be flooded with what is held every minute.
	relapse = 30 * time.Minute
	// DisableAfter is how long probes must have failed, and none succeeded,
	// for the endpoint to be disabled. It counts from the first that failed:
	// an open endpoint with nothing to probe with is not known to be dead.
	DisableAfter = 5 * 24 * time.Hour
	// DisableProbes is how many must have: a third of a day's worth, so that
	// none counts for the time in which nobody probed.
	DisableProbes = 100
)

// noticeAt are the steps, in per cent of the way to being disabled, at which
// an operator is notified.
var noticeAt = [...]int{50, 70, 90, 100}

// Signal is what one attempt says about the endpoint.
type Signal string

const (
	SignalNone   Signal = "none"   // nothing: our own fault, or it was manual and failed
	SignalWell   Signal = "well"   // it answers, and means it
	SignalFailed Signal = "failed" // it answers not well, or not at all
	SignalGone   Signal = "gone"   // it wants no more
)

// SignalOf reads the signal off an attempt's outcome.
func SignalOf(next Next, cause Cause) Signal {
	switch {
	case next.Reason == ReasonAccepted, next.Reason == ReasonAborted, next.Reason == ReasonGone && next.Step == StepExhausted:
		return SignalWell
	case next.Reason == ReasonGone:
		return SignalGone
	case next.Reason == ReasonOurs, cause == CauseManual:
		return SignalNone
	}
	return SignalFailed
}

// Notice notifies an operator about an endpoint; its text is the name of the
// log line.
type Notice string

const (
	NoticeFailing   Notice = "endpoint.failing"   // FailingAt failures in a row
	NoticeOpened    Notice = "endpoint.opened"    // its circuit; events are held from now on
	NoticeOnTheWay  Notice = "endpoint.notice"    // Endpoint.NotifiedPercent per cent of the way to being disabled
	NoticeDisabled  Notice = "endpoint.disabled"  // until an operator enables it
	NoticeRecovered Notice = "endpoint.recovered" // after NoticeFailing or NoticeOpened
)

// probeWait is the time before probe n+1, n having failed.
func probeWait(n int) time.Duration {
	if n = max(n, 0); n < 5 {
		return min(firstProbe<<n, ProbeEvery)
	}
	return ProbeEvery
}

// ProbeDue says whether a probe is due. A time further away than any wait was
// written by a clock that ran ahead.
func (e Endpoint) ProbeDue(now time.Time) bool {
	wait := e.ProbeAt.Sub(now)
	return e.State == EndpointOpen && (wait <= 0 || wait > ProbeEvery)
}

// BeginProbe chooses the event, and its position among the held ones, to probe
// with next, and schedules the probe after it.
func (e Endpoint) BeginProbe(event, place string, now time.Time) Endpoint {
	e.Probing, e.Probed, e.ProbeAt = event, place, now.Add(probeWait(e.Probes))
	return e
}

// Observe is the breaker: what an endpoint becomes when an attempt about an
// event ended at now with a signal, and the notices for an operator. It is pure.
// An unchanged endpoint need not be written.
//
//	closed, draining  well    failures forgotten
//	                  failed  counted; opens at OpenAfter or OpenAlone
//	open              well    draining, whatever attempt it was
//	                  failed  a probe: probed again later, disabled after
//	                          DisableAfter and DisableProbes; another: nothing
//	                          new
//	any but disabled  gone    disabled
//	disabled          any     stays, until an operator enables it
func (e Endpoint) Observe(s Signal, cause Cause, event string, now time.Time) (after Endpoint, notices []Notice) {
	switch {
	case e.State == EndpointDisabled || s == SignalNone:
		return e, nil
	case s == SignalGone:
		return e.Disable(DisabledGone, now), []Notice{NoticeDisabled}
	case e.State == EndpointOpen && s == SignalWell:
		return e.Reopen(now), []Notice{NoticeRecovered}
	case e.State == EndpointOpen && cause == CauseProbe:
		return stillOpen(e, now)
	case e.State == EndpointOpen:
		return e, nil
	case s == SignalWell && e.Failures == 0:
		return e, nil
	case s == SignalWell:
		if e.Failures >= FailingAt {
			notices = []Notice{NoticeRecovered}
		}
		e.Failures, e.FailingSince, e.FirstFailed = 0, time.Time{}, ""
		return e, notices
	}
	if e.Failures == 0 {
		e.FailingSince, e.FirstFailed = now, event
	}
	if e.Failures++; e.Failures == FailingAt {
		notices = append(notices, NoticeFailing)
	}
	alone := e.Failures >= OpenAlone && now.Sub(e.FailingSince) >= aloneFor
	if alone || e.Failures >= OpenAfter && event != e.FirstFailed {
		if e.Probes = 0; now.Sub(e.ClosedAt) < relapse {
			e.Probes = 5
		}
		e.State, e.OpenedAt, e.ProbesSince, e.NotifiedPercent = EndpointOpen, now, time.Time{}, 0
		e.ProbeAt, e.Probing, e.Probed = now.Add(probeWait(e.Probes)), "", ""
		notices = append(notices, NoticeOpened)
	}
	return e, notices
}

// stillOpen is an open endpoint after one more failed probe.
func stillOpen(e Endpoint, now time.Time) (Endpoint, []Notice) {
	var notices []Notice
	e.Probes++
	e.Failures++
	e.ProbeAt = now.Add(probeWait(e.Probes))
	if e.ProbesSince.IsZero() {
		e.ProbesSince = now
	}
	percent := min(int(100*now.Sub(e.ProbesSince)/DisableAfter), 100*e.Probes/DisableProbes)
	step := 0
	for _, at := range noticeAt {
		if percent >= at {
			step = at
		}
	}
	if step > e.NotifiedPercent {
		e.NotifiedPercent = step
		notices = append(notices, NoticeOnTheWay)
	}
	if percent >= 100 {
		e = e.Disable(DisabledFailing, now)
		notices = append(notices, NoticeDisabled)
	}
	return e, notices
}
