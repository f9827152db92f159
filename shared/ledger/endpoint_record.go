package ledger

import (
	"context"
	"errors"
	"strings"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/table"
)

// endpointFields lists what an endpoint's record has.
func endpointFields(e *delivery.Endpoint) func(fields) {
	return func(f fields) {
		f.text("client_id", &e.ClientID)
		f.text("state", (*string)(&e.State))
		f.count("failures", &e.Failures)
		f.time("failing_since", &e.FailingSince)
		f.text("first_failed_event", &e.FirstFailed)
		f.count("in_flight", &e.InFlight.Count)
		f.time("in_flight_grew_at", &e.InFlight.GrewAt)
		f.time("in_flight_full_at", &e.InFlight.FullAt)
		f.time("in_flight_answered_at", &e.InFlight.AnsweredAt)
		f.time("opened_at", &e.OpenedAt)
		f.count("probes", &e.Probes)
		f.time("probes_since", &e.ProbesSince)
		f.time("probe_at", &e.ProbeAt)
		f.text("probing_event", &e.Probing)
		f.text("probed_to", &e.Probed)
		f.count("told_percent", &e.NotifiedPercent)
		f.time("disabled_at", &e.DisabledAt)
		f.text("disabled_reason", &e.DisabledReason)
		f.time("closed_at", &e.ClosedAt)
		f.time("drained_to", &e.DrainedTo)
	}
}

func endpointRecord(e delivery.Endpoint) table.Record {
	rec := table.Record{Key: endpointKey(e.ClientID, e.Origin), Version: e.Version, Attributes: writeFields(14, endpointFields(&e))}
	if e.State != delivery.EndpointClosed {
		rec.Index = map[string]table.IndexKey{IndexAttention: endpointAttention(e).entry()}
	}
	return rec
}

// endpointAttention lists an endpoint that is open by its next probe, and one that
// recovered by its recovery.
func endpointAttention(e delivery.Endpoint) Attention {
	a := Attention{Kind: AttentionEndpoint, ClientID: e.ClientID, Endpoint: e.Origin, At: e.ClosedAt}
	switch e.State {
	case delivery.EndpointDisabled:
		a.Kind = AttentionDisabled
	case delivery.EndpointOpen:
		a.At = e.ProbeAt
	}
	return a
}

func endpointFrom(rec table.Record) (delivery.Endpoint, error) {
	e := delivery.Endpoint{Origin: strings.TrimPrefix(rec.Sort, originPrefix), Version: rec.Version}
	r := readFields(rec, endpointFields(&e))
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
func (l *Ledger) Endpoint(ctx context.Context, clientID, origin string, now time.Time) (delivery.Endpoint, error) {
	rec, err := l.get(ctx, "read endpoint", endpointKey(clientID, origin))
	e := delivery.Endpoint{ClientID: clientID, Origin: origin, State: delivery.EndpointClosed}
	if err == nil {
		e, err = endpointFrom(rec)
	} else if errors.Is(err, ErrNotFound) {
		err = nil
	}
	if err != nil {
		return delivery.Endpoint{}, err
	}
	l.endpoints.put(clientID+"#"+origin, e, now)
	return e, nil
}

// RecentEndpoint is Endpoint, or what was read at most endpointFresh ago.
func (l *Ledger) RecentEndpoint(ctx context.Context, clientID, origin string, now time.Time) (delivery.Endpoint, error) {
	if e, ok := l.endpoints.get(clientID+"#"+origin, now); ok {
		return e, nil
	}
	return l.Endpoint(ctx, clientID, origin, now)
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
