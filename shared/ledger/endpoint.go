package ledger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"momoproxy/shared/table"
)

// EndpointState is what may be sent to an endpoint.
type EndpointState string

const (
	// EndpointClosed: everything (the circuit is closed). An endpoint that has
	// never failed has no record and is this.
	EndpointClosed EndpointState = "closed"
	// EndpointOpen: one probe now and then; its events are held.
	EndpointOpen EndpointState = "open"
	// EndpointDraining: everything; what was held for it is let go little by
	// little.
	EndpointDraining EndpointState = "draining"
	// EndpointDisabled: nothing, until an operator enables it; its events are
	// held.
	EndpointDisabled EndpointState = "disabled"
)

// Endpoint is how well one origin takes one client's events. What a field
// leads to is decided in package delivery.
type Endpoint struct {
	ClientID string
	Origin   string // see Origin
	State    EndpointState

	Failures     int       // failed attempts in a row that count
	FailingSince time.Time // when the first of them ended; zero: none
	FirstFailed  string    // id of the event it was about

	Stalled   int       // attempts that were left waiting, with no answer to any since
	StalledAt time.Time // when the first of them was; zero: none

	OpenedAt    time.Time // of the circuit; zero unless open or disabled
	Probes      int       // failed since then
	ProbesSince time.Time // when the first of them failed; zero: none
	ProbeAt     time.Time // no probe before
	Probing     string    // id of the event to probe with; empty: none, or taken
	Probed      string    // where among the held events the latest probe was
	Told        int       // per cent of the way to being disabled, as last told

	DisabledAt     time.Time
	DisabledReason string

	ClosedAt  time.Time // when it last came back
	DrainedTo time.Time // until then its events are let go already

	version int64
}

// AllEndpoints is in the place of an origin for what a client's endpoints
// share. It is no endpoint, and always closed.
const AllEndpoints = "*"

// Blocked says whether its events are held.
func (e Endpoint) Blocked() bool { return e.State == EndpointOpen || e.State == EndpointDisabled }

// Origin is the part of a callback URL that breaks as one: scheme, host and
// port, in lower case and the port written out. An app's paths, which may hold
// an order's number, do not matter. Empty for what is not such a URL.
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

func (e Endpoint) record() table.Record {
	w := writer{}
	w.text("client_id", e.ClientID)
	w.text("state", string(e.State))
	w.number("failures", int64(e.Failures))
	w.time("failing_since", e.FailingSince)
	w.text("first_failed_event", e.FirstFailed)
	w.number("stalled_attempts", int64(e.Stalled))
	w.time("stalled_at", e.StalledAt)
	w.time("opened_at", e.OpenedAt)
	w.number("probes", int64(e.Probes))
	w.time("probes_since", e.ProbesSince)
	w.time("probe_at", e.ProbeAt)
	w.text("probing_event", e.Probing)
	w.text("probed_to", e.Probed)
	w.number("told_percent", int64(e.Told))
	w.time("disabled_at", e.DisabledAt)
	w.text("disabled_reason", e.DisabledReason)
	w.time("closed_at", e.ClosedAt)
	w.time("drained_to", e.DrainedTo)
	rec := table.Record{Key: endpointKey(e.ClientID, e.Origin), Version: e.version, Attributes: w}
	if e.State != EndpointClosed {
		rec.Index = map[string]table.IndexKey{IndexAttention: attentionEndpoint(e)}
	}
	return rec
}

func endpointFrom(rec table.Record) (Endpoint, error) {
	r := &reader{rec: rec}
	e := Endpoint{
		ClientID:       r.text("client_id"),
		Origin:         strings.TrimPrefix(rec.Sort, originPrefix),
		State:          EndpointState(r.text("state")),
		Failures:       int(r.number("failures")),
		FailingSince:   r.time("failing_since"),
		FirstFailed:    r.text("first_failed_event"),
		Stalled:        int(r.number("stalled_attempts")),
		StalledAt:      r.time("stalled_at"),
		OpenedAt:       r.time("opened_at"),
		Probes:         int(r.number("probes")),
		ProbesSince:    r.time("probes_since"),
		ProbeAt:        r.time("probe_at"),
		Probing:        r.text("probing_event"),
		Probed:         r.text("probed_to"),
		Told:           int(r.number("told_percent")),
		DisabledAt:     r.time("disabled_at"),
		DisabledReason: r.text("disabled_reason"),
		ClosedAt:       r.time("closed_at"),
		DrainedTo:      r.time("drained_to"),
		version:        rec.Version,
	}
	if r.err == nil && (e.ClientID == "" || e.State == "") {
		r.fail("client_id or state")
	}
	return e, r.err
}

// endpointFresh is how long a process may go on with an endpoint it has read,
// so that one that is well costs few reads and no write. What it decides on an
// older state is checked when it is written (HoldDelivery), or is one attempt
// too many; if the endpoint hangs that attempt keeps a batch for ten seconds,
// which is why it is not longer.
const endpointFresh = 250 * time.Millisecond

// Endpoint reads one endpoint from the table. One without a record is closed.
func (l *Ledger) Endpoint(ctx context.Context, clientID, origin string) (Endpoint, error) {
	rec, err := l.table.Get(ctx, endpointKey(clientID, origin))
	if errors.Is(err, table.ErrNotFound) {
		return Endpoint{ClientID: clientID, Origin: origin, State: EndpointClosed}, nil
	}
	if err != nil {
		return Endpoint{}, fmt.Errorf("read endpoint: %w", err)
	}
	return endpointFrom(rec)
}

// RecentEndpoint reads one endpoint, at most endpointFresh old.
func (l *Ledger) RecentEndpoint(ctx context.Context, clientID, origin string, now time.Time) (Endpoint, error) {
	if e, ok := l.endpoints.get(clientID+"#"+origin, now); ok {
		return e, nil
	}
	return l.FreshEndpoint(ctx, clientID, origin, now)
}

// FreshEndpoint is Endpoint, remembered for RecentEndpoint.
func (l *Ledger) FreshEndpoint(ctx context.Context, clientID, origin string, now time.Time) (Endpoint, error) {
	e, err := l.Endpoint(ctx, clientID, origin)
	if err == nil {
		l.endpoints.put(clientID+"#"+origin, e, now)
	}
	return e, err
}

// PutEndpoint writes an endpoint under the version that was read. ErrMoved: it
// has changed since.
func (l *Ledger) PutEndpoint(ctx context.Context, e Endpoint, now time.Time) (Endpoint, error) {
	return l.putEndpoint(ctx, e, now)
}

// EnableEndpoint lets an endpoint be sent to again, whatever it was blocked
// for, and what was held for it go little by little, oldest first (the
// delivery.Sweeper does that, from its next run on). ErrMoved: it has changed
// since it was read.
func (l *Ledger) EnableEndpoint(ctx context.Context, e Endpoint, now time.Time, audit AuditRecord) (Endpoint, error) {
	return l.putEndpoint(ctx, e.Reopened(now), now, table.Put(l.auditRecord(audit)))
}

// Reopened is e with its circuit closed again, and what was held let go.
func (e Endpoint) Reopened(now time.Time) Endpoint {
	return Endpoint{
		ClientID: e.ClientID, Origin: e.Origin, State: EndpointDraining,
		ClosedAt: now, DrainedTo: e.DrainedTo, version: e.version,
	}
}

func (l *Ledger) putEndpoint(ctx context.Context, e Endpoint, now time.Time, more ...table.Op) (Endpoint, error) {
	err := l.table.Write(ctx, append([]table.Op{table.Put(e.record())}, more...)...)
	l.endpoints.drop(e.ClientID + "#" + e.Origin)
	switch {
	case err == nil:
		e.version++
		l.endpoints.put(e.ClientID+"#"+e.Origin, e, now)
		return e, nil
	case errors.Is(err, table.ErrConflict):
		return Endpoint{}, fmt.Errorf("%w: %v", ErrMoved, err)
	default:
		return Endpoint{}, fmt.Errorf("write endpoint %s: %w", e.Origin, err)
	}
}

// Endpoints lists a client's endpoints that have ever failed, by origin.
func (l *Ledger) Endpoints(ctx context.Context, clientID string) ([]Endpoint, error) {
	var all []Endpoint
	q := table.Query{
		Space: table.Main, Partition: endpointPartition(clientID), Limit: 500,
	}
	for {
		page, err := l.table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read endpoints: %w", err)
		}
		for _, rec := range page.Records {
			e, err := endpointFrom(rec)
			if err != nil {
				return nil, err
			}
			if e.Origin != AllEndpoints {
				all = append(all, e)
			}
		}
		if page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}
