package endtoend

import (
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// testHeldDelivery: while an endpoint's circuit is open its events are held.
// The schedule probes with the first of them, which ends the trouble, and then
// lets the other go.
func testHeldDelivery(t *testing.T, w *world) {
	clientID, origin := w.clients[heldKey], delivery.Origin(w.app.url(heldKey))
	e, err := w.ledger.Endpoint(t.Context(), clientID, origin, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	now := ledger.Clock(time.Now())
	e.State, e.OpenedAt, e.Failures = delivery.EndpointOpen, now, delivery.OpenAfter
	if _, err := w.ledger.SaveEndpoint(t.Context(), e, now); err != nil {
		t.Fatal(err)
	}
	first := w.pay(t, "HELD-1", "26876123456", heldKey)
	w.awaitCallbacks(t, first)
	second := w.pay(t, "HELD-2", "26876123456", heldKey)
	w.awaitCallbacks(t, second)
	for _, reference := range []string{first, second} {
		w.deployedForwardUntil(t, reference)
		if d := w.story(t, reference).Deliveries[0]; d.State != delivery.Held || d.HeldReason != delivery.HeldOpen {
			t.Fatalf("%+v", d)
		}
	}

	w.reconcile(t) // the first probe is due at once
	w.forwardUntil(t, first)
	w.checkDelivered(t, first, payment.EventSuccessful)
	if e, err := w.ledger.Endpoint(t.Context(), clientID, origin, time.Now()); err != nil || e.State != delivery.EndpointDraining {
		t.Fatalf("%+v, %v", e, err)
	}
	w.reconcile(t)
	w.forwardUntil(t, second)
	w.checkDelivered(t, second, payment.EventSuccessful)
}
