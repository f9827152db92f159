package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
)

// planOperator has somebody look after the system while faults go on.
func (w *world) planOperator() {
	for left := w.rates.operates; w.chance(left); left-- {
		w.anytime(w.between(0, w.rates.span), "operator", func() {
			if w.chance(0.5) {
				w.resend()
			} else if unwell := w.unwell(); len(unwell) > 0 {
				w.enable(unwell[w.rng.IntN(len(unwell))])
			}
		})
	}
}

// enableMended enables every disabled endpoint whose app is well again.
func (w *world) enableMended() {
	for _, e := range w.unwell() {
		if e.State == ledger.EndpointDisabled && w.appOf(e.ClientID).broken() == "" {
			w.enable(e)
		}
	}
}

func (w *world) enable(e ledger.Endpoint) {
	w.note("enable", e.ClientID, e.Origin, string(e.State))
	_, err := w.oracle.EnableEndpoint(context.Background(), e, ledger.Clock(time.Now()), w.byHand(e.ClientID, ""))
	if err != nil {
		w.violate(NoPanic, "endpoint %s of %s cannot be enabled: %v", e.Origin, e.ClientID, err)
	}
	w.result.Stats.Enabled++
	w.stale = true
}

// resend asks for one event again, whatever became of it.
func (w *world) resend() {
	if len(w.books.order) == 0 {
		return
	}
	reference := w.books.order[w.rng.IntN(len(w.books.order))]
	all, err := w.oracle.Deliveries(context.Background(), reference)
	if err != nil || len(all) == 0 {
		return
	}
	d := all[w.rng.IntN(len(all))]
	w.note("resend", d.EventID, string(d.State))
	_, err = w.oracle.ResendDelivery(context.Background(), d, ledger.Clock(time.Now()), w.byHand(d.ClientID, reference))
	switch {
	case errors.Is(err, ledger.ErrUnderway), errors.Is(err, ledger.ErrEndpointDisabled):
		return
	case err != nil:
		w.violate(NoPanic, "event %s cannot be asked for: %v", d.EventID, err)
		return
	}
	w.result.Stats.Resent++
	w.stale = true
	w.enqueue(queue.Message{Body: fmt.Sprintf(`{"reference":%q,"sequence":%d}`, reference, d.Sequence), Group: d.ClientID})
}

func (w *world) byHand(clientID, reference string) ledger.AuditRecord {
	return ledger.AuditRecord{
		At: ledger.Clock(time.Now()), Direction: ledger.InboundFromApp, ClientID: clientID, Reference: reference,
		Method: "OPERATOR", Note: "operator",
	}
}
