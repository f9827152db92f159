package ledger_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func TestResendDelivery(t *testing.T) {
	t.Parallel()
	now := start.Add(48 * time.Hour)
	asked := ledger.AuditRecord{At: now, Direction: ledger.InboundFromApp, Reference: refA, Note: "asked for"}
	delivered := func(d *delivery.Delivery) {
		d.State, d.DeliveredAt, d.NextAttemptAt = delivery.Delivered, start, time.Time{}
	}
	held := func(reason, endpoint string) func(*delivery.Delivery) {
		return func(d *delivery.Delivery) {
			d.State, d.HeldReason, d.Endpoint, d.NextAttemptAt = delivery.Held, reason, endpoint, time.Time{}
		}
	}
	const shop = "https://shop.example.com:443"
	for name, c := range map[string]struct {
		set      func(*delivery.Delivery)
		endpoint delivery.EndpointState
		manual   bool // one attempt beside the schedule; else the schedule goes on now
		err      error
	}{
		"delivered":                 {delivered, "", true, nil},
		"exhausted":                 {func(d *delivery.Delivery) { d.State, d.NextAttemptAt = delivery.Exhausted, time.Time{} }, "", true, nil},
		"held for itself":           {held("no_callback_url", ""), "", false, nil},
		"circuit open":              {held("endpoint_open", shop), delivery.EndpointOpen, true, nil},
		"disabled":                  {held("endpoint_disabled", shop), delivery.EndpointDisabled, false, ledger.ErrEndpointDisabled},
		"delivered, disabled since": {delivered, delivery.EndpointDisabled, false, ledger.ErrEndpointDisabled},
		"due tomorrow":              {func(d *delivery.Delivery) { d.NextAttemptAt = now.Add(20 * time.Hour) }, "", true, nil},
		"its worker died":           {func(d *delivery.Delivery) { d.LeaseUntil = now.Add(-time.Second) }, "", true, nil},
		"being attempted":           {func(d *delivery.Delivery) { d.LeaseUntil = now.Add(time.Second) }, "", false, delivery.ErrUnderway},
		"asked for":                 {func(d *delivery.Delivery) { d.RequestedAt = now.Add(-time.Second) }, "", false, delivery.ErrUnderway},
		"waiting":                   {func(d *delivery.Delivery) { d.State = delivery.Waiting }, "", false, delivery.ErrUnderway},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, nil)
			_, made := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
			d := *made
			d.Attempts, d.Claims, d.Resends = 7, 8, 1
			c.set(&d)
			before, err := b.SaveDelivery(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if c.endpoint != "" {
				if _, err := b.SaveEndpoint(t.Context(), delivery.Endpoint{ClientID: d.ClientID, Origin: shop, State: c.endpoint}, now); err != nil {
					t.Fatal(err)
				}
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
			want := sent // for its version
			want.State, want.HeldReason, want.NextAttemptAt, want.RequestedAt = before.State, before.HeldReason, before.NextAttemptAt, time.Time{}
			want.ResentAt, want.LeaseUntil = now, time.Time{}
			if c.manual {
				want.RequestedAt = now
			} else {
				want.State, want.HeldReason, want.NextAttemptAt = delivery.Due, "", now
			}
			same(t, "what becomes of it", want, got)
			if due, err := b.Due(t.Context(), ledger.DueQuery{Kind: ledger.DueDelivery, Shard: int(refA[0]) % ledger.DueShards, Before: now.Add(time.Second)}, ledger.Paging{Limit: 10}); err != nil || len(due.Items) != 1 {
				t.Errorf("the sweeper finds %v (%v)", due.Items, err)
			}
			trail, err := b.AuditTrail(t.Context(), refA)
			if err != nil || len(trail) == 0 || trail[len(trail)-1].Note != asked.Note {
				t.Errorf("trail %v, %v", trail, err)
			}
			// A stale reader changes nothing, and leaves no record.
			if _, err := b.ResendDelivery(t.Context(), before, now, asked); !errors.Is(err, ledger.ErrStale) {
				t.Errorf("by what was read before: %v", err)
			}
			if again, err := b.AuditTrail(t.Context(), refA); err != nil || len(again) != len(trail) {
				t.Errorf("%d records after, %d before, %v", len(again), len(trail), err)
			}
		})
	}
}
