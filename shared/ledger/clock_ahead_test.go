package ledger_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

// A slot that a clock an hour ahead has reserved is not waited for.
func TestSlotOfAClockThatRanAhead(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	for name, c := range map[string]struct {
		ahead time.Duration
		wait  time.Duration
	}{
		"a slot that others wait for too":   {20 * time.Second, 21 * time.Second},
		"one that nobody reserves so early": {time.Hour, 0},
	} {
		if _, ok, err := b.ReserveSlots(t.Context(), ledger.SlotRequest{Limit: ledger.SlotLimit{Name: name, Every: time.Second}, From: start.Add(c.ahead)}); err != nil || !ok {
			t.Fatal(ok, err)
		}
		slots, ok, err := b.ReserveSlots(t.Context(), ledger.SlotRequest{Limit: ledger.SlotLimit{Name: name, Every: time.Second}, From: start, MaxWait: time.Minute})
		if err != nil || !ok || len(slots) != 1 || !slots[0].Equal(start.Add(c.wait)) {
			t.Errorf("%s: gets %s, %t, %v; want one in %s", name, slots, ok, err, c.wait)
		}
	}
}

// What a process has cached under a clock that then went back is read again.
func TestCacheOfAClockThatRanAhead(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	other := ledger.New(b.memory, ring(t), ledger.Options{})
	const origin = "https://shop.example.com:443"
	if e, err := b.RecentEndpoint(t.Context(), client, origin, start.Add(time.Hour)); err != nil || e.State != delivery.EndpointClosed {
		t.Fatal(e, err)
	}
	if _, err := other.SaveEndpoint(t.Context(), delivery.Endpoint{ClientID: client, Origin: origin, State: delivery.EndpointOpen, OpenedAt: start, ProbeAt: start}, start); err != nil {
		t.Fatal(err)
	}
	if e, err := b.RecentEndpoint(t.Context(), client, origin, start); err != nil || e.State != delivery.EndpointOpen {
		t.Errorf("%s, %v; want it open", e.State, err)
	}
}

// A delivery is held only for the endpoint as it stands. Who was wrong about
// it reads it afresh at once, and not what was cached.
func TestHoldForAnEndpointThatMoved(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	other := ledger.New(b.memory, ring(t), ledger.Options{})
	const origin = "https://shop.example.com:443"
	stale, err := b.RecentEndpoint(t.Context(), client, origin, start)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := other.SaveEndpoint(t.Context(), delivery.Endpoint{ClientID: client, Origin: origin, State: delivery.EndpointOpen, OpenedAt: start, ProbeAt: start}, start)
	if err != nil {
		t.Fatal(err)
	}
	d := delivery.Delivery{EventID: "evt_1", Reference: refA, ClientID: client, Sequence: 1, State: delivery.Due}
	if err := b.HoldDelivery(t.Context(), d, stale); !errors.Is(err, ledger.ErrEndpointStale) {
		t.Fatalf("held for an endpoint that moved: %v", err)
	}
	e, err := b.RecentEndpoint(t.Context(), client, origin, start)
	if err != nil || e.State != fresh.State {
		t.Fatalf("%s, %v; want %s", e.State, err, fresh.State)
	}
	if err := b.HoldDelivery(t.Context(), d, e); err != nil {
		t.Error(err)
	}
}

// So is what was cached under a clock that ran ahead when the clock, set back
// and unused in between, comes to that time again.
func TestCacheOfAClockThatRanAheadAndCaughtUp(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	own := start
	reading := ledger.New(b.memory, ring(t), ledger.Options{Now: func() time.Time { return own }})
	const origin = "https://shop.example.com:443"
	ahead := start.Add(4 * time.Minute)
	if e, err := reading.RecentEndpoint(t.Context(), client, origin, ahead); err != nil || e.State != delivery.EndpointClosed {
		t.Fatal(e, err)
	}
	if _, err := b.SaveEndpoint(t.Context(), delivery.Endpoint{ClientID: client, Origin: origin, State: delivery.EndpointOpen, OpenedAt: start, ProbeAt: start}, start); err != nil {
		t.Fatal(err)
	}
	own = ahead // the clock was set back at once
	if e, err := reading.RecentEndpoint(t.Context(), client, origin, ahead); err != nil || e.State != delivery.EndpointOpen {
		t.Errorf("four minutes later it still answers %+v, %v", e, err)
	}
}
