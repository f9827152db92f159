package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"momoproxy/infra/sandbox"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// books are what everybody knows in the end.
type books struct {
	ours     map[string]ledger.Story
	mtn      map[string]sandbox.Entry
	counters sandbox.Counters
	arrivals []arrival         // of each app in its order
	promised map[string]string // external id by reference
	broken   []string
	told     map[int]int
	now      time.Time
}

func (w *world) books(ctx context.Context) (*books, error) {
	b := &books{ours: map[string]ledger.Story{}, mtn: map[string]sandbox.Entry{}, counters: w.mtn.Counters(),
		promised: w.promised, broken: w.broken, told: w.told, now: time.Now()}
	for _, a := range w.apps {
		if err := w.walk(ctx, a, func(s ledger.Story) { b.ours[s.Payment.Reference] = s }); err != nil {
			return nil, err
		}
		b.arrivals = append(b.arrivals, a.arrivals()...)
	}
	for _, e := range w.mtn.Ledger() {
		b.mtn[e.Reference] = e
	}
	return b, nil
}

// neverReached is for how long a payment that MTN never got may stay open:
// MTN has to say twice that it does not know it, and not too early.
const neverReached = 15 * time.Minute

// faults lists every promise that was broken, with the payment it was broken
// to.
func (b *books) faults() []string {
	all := slices.Clone(b.broken)
	fault := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }

	for reference, e := range b.mtn {
		if e.Charges > 1 || e.Accepted > 1 {
			fault("%s: MTN accepted it %d times and charged %d times", reference, e.Accepted, e.Charges)
		}
		if _, ok := b.ours[reference]; !ok && e.Asks > 0 {
			fault("%s: MTN was asked and we do not know it", reference)
		}
	}
	if b.counters.Violations > 0 {
		fault("MTN's limit was exceeded %d times, with %d questions in a second", b.counters.Violations, b.counters.MaxGETs)
	}
	for reference, externalID := range b.promised {
		if s, ok := b.ours[reference]; !ok || s.Payment.ExternalID != externalID {
			fault("%s: promised for order %s, and is of order %q", reference, externalID, s.Payment.ExternalID)
		}
	}
	heard := map[string][]arrival{}
	for _, n := range b.arrivals {
		if n.Fault != "" {
			fault("%s was sent what does not verify: %s", n.App, n.Fault)
			continue
		}
		heard[n.ReferenceID] = append(heard[n.ReferenceID], n)
	}
	for reference, s := range b.ours {
		for _, text := range judge(s, b.mtn[reference], heard[reference], b.now) {
			fault("%s: %s", reference, text)
		}
		delete(heard, reference)
	}
	for reference, n := range heard {
		fault("%s: %s heard of it and we do not know it", reference, n[0].App)
	}
	slices.Sort(all)
	return all
}

// judge compares one payment's books. entry is MTN's, empty where MTN was
// never asked; heard is what its app got, in order.
func judge(s ledger.Story, entry sandbox.Entry, heard []arrival, now time.Time) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	p := s.Payment
	switch {
	case p.Status == payment.Successful && entry.Charges != 1:
		fault("SUCCESSFUL here, and MTN charged %d times", entry.Charges)
	case p.Status != payment.Successful && !p.Open() && entry.Charges > 0:
		fault("%s here, and MTN charged", p.Status)
	case p.Open() && entry.Ended:
		fault("%s here, %s at MTN since %s", p.Status, entry.Status, now.Sub(entry.Since).Round(time.Second))
	case p.Open() && entry.Accepted == 0 && now.Sub(p.CreatedAt) > neverReached:
		fault("open for %s though it never reached MTN", now.Sub(p.CreatedAt).Round(time.Second))
	}
	if !p.Open() && p.Sequence < 1 {
		fault("%s without an event", p.Status)
	}
	if len(s.Deliveries) != p.Sequence {
		fault("%d events and %d deliveries", p.Sequence, len(s.Deliveries))
	}
	events := map[string]ledger.Delivery{}
	sequences := map[int]bool{}
	for _, d := range s.Deliveries {
		if sequences[d.Sequence] || d.Sequence < 1 || d.Sequence > p.Sequence {
			fault("event %d of %d, or twice", d.Sequence, p.Sequence)
		}
		sequences[d.Sequence] = true
		events[d.EventID] = d
		// Put off, because its app failed: it has its time, and that is to come.
		putOff := d.State == ledger.DeliveryDue && d.Attempts > 0 && d.NextAttemptAt.After(now)
		if !d.State.Ended() && !putOff && d.State != ledger.DeliveryWaiting {
			fault("event %d is still %s after %d attempts, due %s ago", d.Sequence, d.State, d.Attempts, now.Sub(d.NextAttemptAt).Round(time.Second))
		}
		if d.State == ledger.DeliveryDelivered && !slices.ContainsFunc(heard, func(n arrival) bool { return n.EventID == d.EventID && n.Answered == 200 }) {
			fault("event %d counts as delivered, and the app never took it", d.Sequence)
		}
	}
	taken := 0 // the highest sequence that the app has answered 200
	for _, n := range heard {
		d, ok := events[n.EventID]
		switch {
		case !ok:
			fault("the app was sent event %s, which is not ours", n.EventID)
			continue
		case n.Body != d.Body:
			fault("the app was sent other words for event %d", d.Sequence)
		case n.Status == string(payment.Successful) && entry.Charges != 1:
			fault("the app was told SUCCESSFUL, and MTN charged %d times", entry.Charges)
		case d.Sequence > taken+1:
			fault("the app was sent event %d before it took event %d", d.Sequence, taken+1)
		}
		if n.Answered == 200 {
			taken = max(taken, d.Sequence)
		}
	}
	return faults
}

// summary is for people: how much there was.
func (b *books) summary() string {
	statuses, states := map[string]int{}, map[string]int{}
	attempts := 0
	for _, s := range b.ours {
		statuses[string(s.Payment.Status)]++
		for _, d := range s.Deliveries {
			states[string(d.State)]++
		}
		attempts += len(s.Attempts)
	}
	charged, asks := 0, 0
	for _, e := range b.mtn {
		charged += e.Charges
		asks += e.Asks
	}
	answers := map[string]int{}
	for status, n := range b.told {
		if status == 0 {
			answers["none"] = n
		} else {
			answers[fmt.Sprint(status)] = n
		}
	}
	return fmt.Sprintf("  answers to request-to-pay: %s\n  payments: %d, %s\n  MTN: %d asked for, in %d requests; %d charged; at most %d questions in a second\n  events: %s; %d attempts, %d arrivals\n",
		counted(answers), len(b.ours), counted(statuses), len(b.mtn), asks, charged, b.counters.MaxGETs, counted(states), attempts, len(b.arrivals))
}

func counted(m map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
	}
	return strings.Join(parts, ", ")
}
