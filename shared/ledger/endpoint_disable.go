package ledger

import (
	"context"
	"time"

	"momoproxy/shared/table"
)

// DisabledByOperator is an Endpoint.DisabledReason.
const DisabledByOperator = "operator"

// DisableEndpoint lets nothing be sent to an endpoint until it is enabled; its
// events are held. An attempt under way goes on, and other processes hear of
// it within endpointFresh. ErrMoved: it has changed since it was read.
func (l *Ledger) DisableEndpoint(ctx context.Context, e Endpoint, now time.Time, audit AuditRecord) (Endpoint, error) {
	e.State, e.DisabledAt, e.DisabledReason = EndpointDisabled, now, DisabledByOperator
	e.ProbeAt, e.Probing, e.Probed = time.Time{}, "", ""
	return l.putEndpoint(ctx, e, now, table.Put(l.auditRecord(audit)))
}
