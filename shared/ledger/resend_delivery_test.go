package ledger_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func TestResendDelivery(t *testing.T) {
	t.Parallel()
	now := start.Add(48 * time.Hour)
	asked := ledger.AuditRecord{At: now, Direction: ledger.InboundFromApp, Reference: refA, Note: "asked for"}
	for name, c := range map[string]struct {
		set      func(*ledger.Delivery)
		attempts int
		err      error
	}{
		"delivered": {func(d *ledger.Delivery) {
			d.State, d.DeliveredAt, d.NextAttemptAt = ledger.DeliveryDelivered, start, time.Time{}
		}, 0, nil},
		"exhausted": {func(d *ledger.Delivery) { d.State, d.NextAttemptAt = ledger.DeliveryExhausted, time.Time{} }, 0, nil},
		"held": {func(d *ledger.Delivery) {
			d.State, d.HeldReason, d.NextAttemptAt = ledger.DeliveryHeld, "endpoint_gone", time.Time{}
		}, 0, nil},
		"due tomorrow":    {func(d *ledger.Delivery) { d.NextAttemptAt = now.Add(20 * time.Hour) }, 7, nil},
		"its worker died": {func(d *ledger.Delivery) { d.LeaseUntil = now.Add(-time.Second) }, 7, nil},
		"being attempted": {func(d *ledger.Delivery) { d.LeaseUntil = now.Add(time.Second) }, 0, ledger.ErrUnderway},
		"waiting":         {func(d *ledger.Delivery) { d.State = ledger.DeliveryWaiting }, 0, ledger.ErrUnderway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, nil)
			_, made := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
			d := *made
			d.Attempts, d.Claims, d.LastCode = 7, 8, 500
			c.set(&d)
			before, err := b.PutDelivery(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			sent, err := b.ResendDelivery(t.Context(), before, now, asked)
			got, readErr := b.Delivery(t.Context(), refA, 1)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if c.err != nil {
				if !errors.Is(err, c.err) {
					t.Errorf("%v, want %v", err, c.err)
				}
				same(t, "untouched", before, got)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, "delivery", sent, got)
			if got.State != ledger.DeliveryDue || !got.NextAttemptAt.Equal(now) || got.HeldReason != "" || !got.LeaseUntil.IsZero() ||
				got.Attempts != c.attempts || got.Claims != 8 || got.EventID != made.EventID || got.Body != made.Body {
				t.Errorf("%+v", got)
			}
			trail, err := b.AuditTrail(t.Context(), refA)
			if err != nil || len(trail) == 0 || trail[len(trail)-1].Note != asked.Note {
				t.Errorf("trail %v, %v", trail, err)
			}
			// Whoever read it before has been overtaken, and leaves no record.
			if _, err := b.ResendDelivery(t.Context(), before, now, asked); !errors.Is(err, ledger.ErrMoved) {
				t.Errorf("by what was read before: %v", err)
			}
			if again, err := b.AuditTrail(t.Context(), refA); err != nil || len(again) != len(trail) {
				t.Errorf("%d records after, %d before, %v", len(again), len(trail), err)
			}
		})
	}
}
