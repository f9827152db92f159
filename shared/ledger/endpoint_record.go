package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

func endpointRecord(e delivery.Endpoint) table.Record {
	w := make(writer, 14)
	w.text("client_id", e.ClientID)
	w.text("state", string(e.State))
	w.number("failures", int64(e.Failures))
	w.time("failing_since", e.FailingSince)
	w.text("first_failed_event", e.FirstFailed)
	w.number("in_flight", int64(e.InFlight.Count))
	w.time("in_flight_grew_at", e.InFlight.GrewAt)
	w.time("in_flight_full_at", e.InFlight.FullAt)
	w.time("in_flight_answered_at", e.InFlight.AnsweredAt)
	w.time("opened_at", e.OpenedAt)
	w.number("probes", int64(e.Probes))
	w.time("probes_since", e.ProbesSince)
	w.time("probe_at", e.ProbeAt)
	w.text("probing_event", e.Probing)
	w.text("probed_to", e.Probed)
	w.number("told_percent", int64(e.NotifiedPercent))
	w.time("disabled_at", e.DisabledAt)
	w.text("disabled_reason", e.DisabledReason)
	w.time("closed_at", e.ClosedAt)
	w.time("drained_to", e.DrainedTo)
	rec := table.Record{Key: endpointKey(e.ClientID, e.Origin), Version: e.Version, Attributes: w}
	if e.State != delivery.EndpointClosed {
		rec.Index = map[string]table.IndexKey{IndexAttention: attentionEndpoint(e)}
	}
	return rec
}

func endpointFrom(rec table.Record) (delivery.Endpoint, error) {
	r := &reader{rec: rec}
	e := delivery.Endpoint{
		ClientID:     r.text("client_id"),
		Origin:       strings.TrimPrefix(rec.Sort, originPrefix),
		State:        delivery.EndpointState(r.text("state")),
		Failures:     int(r.number("failures")),
		FailingSince: r.time("failing_since"),
		FirstFailed:  r.text("first_failed_event"),
		InFlight: delivery.InFlight{
			Count:      int(r.number("in_flight")),
			GrewAt:     r.time("in_flight_grew_at"),
			FullAt:     r.time("in_flight_full_at"),
			AnsweredAt: r.time("in_flight_answered_at"),
		},
		OpenedAt:        r.time("opened_at"),
		Probes:          int(r.number("probes")),
		ProbesSince:     r.time("probes_since"),
		ProbeAt:         r.time("probe_at"),
		Probing:         r.text("probing_event"),
		Probed:          r.text("probed_to"),
		NotifiedPercent: int(r.number("told_percent")),
		DisabledAt:      r.time("disabled_at"),
		DisabledReason:  r.text("disabled_reason"),
		ClosedAt:        r.time("closed_at"),
		DrainedTo:       r.time("drained_to"),
		Version:         rec.Version,
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
func (l *Ledger) Endpoint(ctx context.Context, clientID, origin string) (delivery.Endpoint, error) {
	rec, err := l.get(ctx, "read endpoint", endpointKey(clientID, origin))
	switch {
	case errors.Is(err, ErrNotFound):
		return delivery.Endpoint{ClientID: clientID, Origin: origin, State: delivery.EndpointClosed}, nil
	case err != nil:
		return delivery.Endpoint{}, err
	}
	return endpointFrom(rec)
}

// RecentEndpoint reads one endpoint, at most endpointFresh old.
func (l *Ledger) RecentEndpoint(ctx context.Context, clientID, origin string, now time.Time) (delivery.Endpoint, error) {
	if e, ok := l.endpoints.get(clientID+"#"+origin, now); ok {
		return e, nil
	}
	return l.FreshEndpoint(ctx, clientID, origin, now)
}

// FreshEndpoint is Endpoint, remembered for RecentEndpoint.
func (l *Ledger) FreshEndpoint(ctx context.Context, clientID, origin string, now time.Time) (delivery.Endpoint, error) {
	e, err := l.Endpoint(ctx, clientID, origin)
	if err == nil {
		l.endpoints.put(clientID+"#"+origin, e, now)
	}
	return e, err
}

// SaveEndpoint writes an endpoint under the version that was read, with the
// audit record of an operator's change. ErrStale: it has changed since.
func (l *Ledger) SaveEndpoint(ctx context.Context, e delivery.Endpoint, now time.Time, audit ...AuditRecord) (delivery.Endpoint, error) {
	err := l.write(ctx, "write endpoint "+e.Origin, append([]table.Op{table.Put(endpointRecord(e))}, l.auditOps(audit)...)...)
	l.endpoints.drop(e.ClientID + "#" + e.Origin)
	if err != nil {
		return delivery.Endpoint{}, err
	}
	e.Version++
	l.endpoints.put(e.ClientID+"#"+e.Origin, e, now)
	return e, nil
}

// Endpoints lists a client's endpoints that have ever failed, by origin.
func (l *Ledger) Endpoints(ctx context.Context, clientID string) ([]delivery.Endpoint, error) {
	var all []delivery.Endpoint
	err := l.each(ctx, "read endpoints", table.Main, endpointPartition(clientID), func(rec table.Record) error {
		e, err := endpointFrom(rec)
		if e.Origin != delivery.AllEndpoints {
			all = append(all, e)
		}
		return err
	})
	return all, err
}
