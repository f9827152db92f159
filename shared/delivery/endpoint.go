package delivery

import (
	"net"
	"net/url"
	"strings"
	"time"
)

// EndpointState is what may be sent to an endpoint.
type EndpointState string

const (
	// EndpointClosed: everything (the circuit is closed). An endpoint that has
	// never failed has no record and is in this state.
	EndpointClosed EndpointState = "closed"
	// EndpointOpen: one probe now and then; its events are held.
	EndpointOpen EndpointState = "open"
	// EndpointDraining: everything; what was held for it is released little by
	// little.
	EndpointDraining EndpointState = "draining"
	// EndpointDisabled: nothing, until an operator enables it; its events are
	// held.
	EndpointDisabled EndpointState = "disabled"
)

// Values of Endpoint.DisabledReason.
const (
	DisabledFailing    = "failing" // for DisableAfter
	DisabledGone       = "gone"    // it answered 410, or asked to be disabled
	DisabledByOperator = "operator"
)

// Endpoint is how well one origin takes one client's events.
type Endpoint struct {
	ClientID string
	Origin   string // see Origin
	State    EndpointState

	Failures     int       // failed attempts in a row that count
	FailingSince time.Time // when the first of them ended; zero: none
	FirstFailed  string    // id of the event it was about

	OpenedAt        time.Time // of the circuit; zero unless open or disabled
	Probes          int       // failed since then
	ProbesSince     time.Time // when the first of them failed; zero: none
	ProbeAt         time.Time // no probe before
	Probing         string    // id of the event to probe with; empty: none, or taken
	Probed          string    // position among the held events of the latest probe
	NotifiedPercent int       // per cent of the way to being disabled, as last notified

	DisabledAt     time.Time
	DisabledReason string

	ClosedAt  time.Time // when it last recovered
	DrainedTo time.Time // until then its events are released already

	InFlight InFlight // of AllEndpoints only

	Version int64 // of the stored record; 0: not stored. The ledger sets it
}

// AllEndpoints replaces the origin in the record of what a client's endpoints
// share: the count of its unanswered attempts. It is no endpoint, and always
// closed.
const AllEndpoints = "*"

// Blocked says whether its events are held.
func (e Endpoint) Blocked() bool { return e.State == EndpointOpen || e.State == EndpointDisabled }

// heldReason is why events are held while it is blocked.
func (e Endpoint) heldReason() string {
	switch {
	case e.State != EndpointDisabled:
		return HeldOpen
	case e.DisabledReason == DisabledGone:
		return HeldGone
	}
	return HeldDisabled
}

// Reopen closes the circuit again, whatever it was blocked for. The sweeper
// then releases what was held, oldest first.
func (e Endpoint) Reopen(now time.Time) Endpoint {
	return Endpoint{
		ClientID: e.ClientID, Origin: e.Origin, State: EndpointDraining,
		ClosedAt: now, DrainedTo: e.DrainedTo, Version: e.Version,
	}
}

// Disable lets nothing be sent until the endpoint is enabled; its events are
// held. An attempt under way completes.
func (e Endpoint) Disable(reason string, now time.Time) Endpoint {
	e.State, e.DisabledAt, e.DisabledReason = EndpointDisabled, now, reason
	e.ProbeAt, e.Probing, e.Probed = time.Time{}, "", ""
	return e
}

// Origin is the part of a callback URL that fails as one: scheme, host and
// port, in lower case and with the port written out. An app's paths, which may
// hold an order's number, do not matter. Empty for what is not such a URL.
func Origin(callbackURL string) string {
	u, err := url.Parse(callbackURL)
	if err != nil || u.Host == "" || strings.Contains(u.Host, "#") {
		return ""
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), port)
}
