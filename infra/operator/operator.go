// Package operator is what a person does by hand to payments, deliveries,
// endpoints and accounts, each with its audit record. The command line and
// the web console both call it and put its results in their own words.
package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
)

// Operator is a person at work.
type Operator struct {
	Name   string // as audit records show it
	Ledger *ledger.Ledger
	Queue  queue.Queue
	Now    func() time.Time
	Log    *slog.Logger
}

// Lack is what a delivery cannot be sent without: the forwarder would hold it
// again at once.
type Lack int

const (
	Nothing     Lack = iota
	App              // there is no such app any more
	Readable         // none of the sealing keys opens the app's secrets
	CallbackURL      // neither the payment nor the app has one
	Secret           // the app has no signing secret
)

// Lacks says which of them a delivery lacks.
func (o Operator) Lacks(ctx context.Context, d delivery.Delivery) (Lack, error) {
	c, err := o.Ledger.RecentClient(ctx, d.ClientID, o.Now())
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return App, nil
	case errors.Is(err, ledger.ErrCorrupt):
		return Readable, nil
	case err != nil:
		return Nothing, err
	case d.URL == "" && c.CallbackURL == "":
		return CallbackURL, nil
	case len(c.LiveSecrets(o.Now())) == 0:
		return Secret, nil
	}
	return Nothing, nil
}

// MakeDue makes a delivery due now; what stands in the audit record.
func (o Operator) MakeDue(ctx context.Context, d delivery.Delivery, what string) (delivery.Delivery, error) {
	now := ledger.Clock(o.Now())
	return o.Ledger.ResendDelivery(ctx, d, now, ledger.AuditRecord{
		At: now, Direction: ledger.InboundFromApp, Reference: d.Reference, ClientID: d.ClientID,
		Method: gateway.OperatorMethod, URL: what, Note: fmt.Sprintf("operator %s: event %d, it was %s", o.Name, d.Sequence, d.State),
	})
}

// Ring tells the forwarder. Best effort: if the message is lost, the sweeper
// sends it again.
func (o Operator) Ring(ctx context.Context, deliveries ...delivery.Delivery) {
	if err := (forwarder.Doorbell{Queue: o.Queue, Now: o.Now}).Ring(ctx, deliveries...); err != nil {
		o.Log.WarnContext(ctx, "doorbell.lost", "error", err.Error())
	}
}

// EnableEndpoint lets an endpoint be sent to again, whatever it was blocked
// for.
func (o Operator) EnableEndpoint(ctx context.Context, e delivery.Endpoint) (delivery.Endpoint, error) {
	if !e.Blocked() {
		return e, nil
	}
	now := ledger.Clock(o.Now())
	return o.Ledger.SaveEndpoint(ctx, e.Reopen(now), now, o.audit(e, now, "enable"))
}

// DisableEndpoint has nothing sent to an endpoint until it is enabled.
func (o Operator) DisableEndpoint(ctx context.Context, e delivery.Endpoint) (delivery.Endpoint, error) {
	if e.State == delivery.EndpointDisabled {
		return e, nil
	}
	now := ledger.Clock(o.Now())
	return o.Ledger.SaveEndpoint(ctx, e.Disable(delivery.DisabledByOperator, now), now, o.audit(e, now, "disable"))
}

func (o Operator) audit(e delivery.Endpoint, at time.Time, what string) ledger.AuditRecord {
	return ledger.AuditRecord{
		At: at, Direction: ledger.InboundFromApp, ClientID: e.ClientID, Method: gateway.OperatorMethod, URL: "endpoint/" + what,
		Note: fmt.Sprintf("operator %s: %s, it was %s", o.Name, e.Origin, e.State),
	}
}
