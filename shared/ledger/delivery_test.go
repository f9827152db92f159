package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func TestDeliveryComesBackWhole(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p, d := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
	if d.Body != string(payment.Announcement(p.Payment, payment.EventSuccessful, 1)) || d.EventID != payment.EventID(refA, 1) || d.URL != p.CallbackURL {
		t.Errorf("%+v", d)
	}
	d.State, d.HeldReason, d.Attempts, d.Claims, d.Resends = delivery.Held, "no_callback_url", 3, 5, 1
	d.NextAttemptAt, d.LeaseUntil, d.DeliveredAt = start.Add(time.Minute), start.Add(2*time.Minute), start.Add(3*time.Minute)
	d.Latest = []delivery.Attempt{
		{Reference: refA, Sequence: 1, Number: 4, Cause: delivery.CauseProbe, Started: start, Duration: time.Second, Code: 308, Location: "https://x.example.com/", Excerpt: "no"},
		{Reference: refA, Sequence: 1, Number: 5, Cause: delivery.CauseManual, Started: start.Add(time.Hour), Error: "tls", TLSFault: "expired"},
	}
	stored, err := b.SaveDelivery(t.Context(), *d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Delivery(t.Context(), refA, 1)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "delivery", stored, got)
	if _, err := b.Delivery(t.Context(), refA, 2); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A later claim invalidates an earlier one.
func TestStaleClaimCannotComplete(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	stale := claimed(t, b).(delivery.Delivery)
	now, err := b.Delivery(t.Context(), refA, 1)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := b.SaveDelivery(t.Context(), now.Claim(start.Add(3*time.Hour)))
	if err != nil || fresh.Claims != 2 {
		t.Fatal(fresh.Claims, err)
	}
	if err := complete(b, stale); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("the stale worker: %v", err)
	}
	got, err := b.Delivery(t.Context(), refA, 1)
	if err != nil || got.State != delivery.Due {
		t.Errorf("%s, %v", got.State, err)
	}
	// Its attempt did happen, and is on record.
	trail, err := b.AuditTrail(t.Context(), refA)
	if err != nil || trail[len(trail)-1].Direction != ledger.OutboundToApp && trail[0].Direction != ledger.OutboundToApp {
		t.Errorf("audit %v, %v", trail, err)
	}
}

func TestStory(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	failed, first := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysFailed, time.Minute))
	b.apply(t, failed, evidence(payment.SaysSuccessful, time.Hour))
	d := *first
	for n := 1; n <= 12; n++ {
		var err error
		if d, err = b.SaveDelivery(t.Context(), d.Claim(start.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		d = d.After(delivery.Attempt{Cause: delivery.CauseAutomatic, Started: start, Duration: time.Second, Code: 500, Excerpt: fmt.Sprint(n)}, delivery.Next{}, start)
		d, err = b.SaveAttempt(t.Context(), d, ledger.AuditRecord{At: start, Reference: refA})
		if err != nil {
			t.Fatal(err)
		}
	}
	story, err := b.Story(t.Context(), refA)
	if err != nil || story.Payment.Status != payment.Successful || len(story.Deliveries) != 2 || len(story.Attempts) != 12 {
		t.Fatalf("%d deliveries, %d attempts, %v", len(story.Deliveries), len(story.Attempts), err)
	}
	for i, a := range story.Attempts {
		if a.Number != i+1 || a.Excerpt != fmt.Sprint(i+1) || a.Duration != time.Second {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
}
