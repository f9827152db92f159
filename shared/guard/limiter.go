package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

// Caller says on whose behalf a status is asked for, and with that how much
// the question may take from the others'.
type Caller int

const (
	// ByApp: an app's GET /status. Losing it costs nothing; the table answers.
	ByApp Caller = iota
	// BySchedule: reconciliation, which moves the next check on.
	BySchedule
	// ByProvider: a callback with the token that only the provider knows.
	ByProvider
)

// maxWait is how long a question waits for its slot under the provider's
// limit: reconciliation longest, the provider's own callback as long as the
// provider waits for our answer, and an app's request hardly.
func (c Caller) maxWait() time.Duration {
	switch c {
	case BySchedule:
		return 5 * time.Second
	case ByProvider:
		return 700 * time.Millisecond
	}
	return 300 * time.Millisecond
}

const (
	// slotLasts is how late a slot may be used: a question delayed longer, by
	// a slow write or a paused function, would be asked in the slots of others.
	slotLasts = 100 * time.Millisecond
	// submitMaxWait is how long a request to pay waits for its slot, where
	// the provider limits those.
	submitMaxWait = 3 * time.Second
	// submitSlotLasts is how late that slot may be used; the limits leave
	// room for it.
	submitSlotLasts = 2 * time.Second
	// appShare is how much rarer than all together one app may have live
	// questions, or submissions, where the provider limits them: the others'
	// find room beside them.
	appShare = 4
)

func (g *Guard) statuses() ledger.SlotLimit { return g.limit("status", g.Capabilities().Statuses) }
func (g *Guard) submits() ledger.SlotLimit  { return g.limit("submit", g.Capabilities().Submits) }

func (g *Guard) limit(of string, l provider.Limit) ledger.SlotLimit {
	return ledger.SlotLimit{Name: g.id() + "#" + of, Every: l.Every, Burst: l.Burst}
}

// ofApp is an app's own limit, a share of l.
func ofApp(l ledger.SlotLimit, clientID string) ledger.SlotLimit {
	return ledger.SlotLimit{Name: l.Name + "#" + clientID, Every: l.Every * appShare, Burst: l.Burst / appShare}
}

// reserve takes the next slot after from and tells its time. *Refusal: it is
// more than maxWait away.
func (g *Guard) reserve(ctx context.Context, l ledger.SlotLimit, from time.Time, maxWait time.Duration) (time.Time, error) {
	slots, err := g.reserveAll(ctx, ledger.SlotRequest{Limit: l, From: from, MaxWait: maxWait})
	if err != nil {
		return time.Time{}, err
	}
	return slots[0], nil
}

func (g *Guard) reserveAll(ctx context.Context, r ledger.SlotRequest) ([]time.Time, error) {
	slots, ok, err := g.ledger.ReserveSlots(ctx, r)
	if err == nil && !ok {
		err = &Refusal{
			RetryAfter: slots[0].Sub(g.now()), Busy: true,
			Err: fmt.Errorf("provider's request limit is spent for %s", slots[0].Sub(r.From).Round(time.Second)),
		}
	}
	return slots, err
}

// wait sleeps until a slot.
func (g *Guard) wait(ctx context.Context, slot time.Time) error {
	return g.Host.Sleep(ctx, slot.Sub(g.now()))
}

// Slot is when a question may be asked.
type Slot struct {
	At   time.Time
	cost time.Duration // that reserving it took
}

// Stale says whether it is too late for a slot. The zero Slot is stale.
func (s Slot) Stale(now time.Time) bool { return now.Sub(s.At) > slotLasts }

// WaitToAsk waits for a slot for a status question about a payment of an app.
// stale is the slot for which the try before was too late, the zero Slot at the
// first try: the next slot lies further ahead by the time that reserving took.
// *Refusal: too many others are waiting.
func (g *Guard) WaitToAsk(ctx context.Context, clientID string, by Caller, stale Slot) (Slot, error) {
	if by == BySchedule {
		return g.waitInRun(ctx, stale.cost)
	}
	started := g.now()
	if by == ByApp && stale.At.IsZero() {
		if _, err := g.reserve(ctx, ofApp(g.statuses(), clientID), started, 0); err != nil {
			return Slot{}, err
		}
	}
	at, err := g.reserve(ctx, g.statuses(), started.Add(stale.cost), by.maxWait())
	if err != nil {
		return Slot{}, err
	}
	return Slot{at, g.now().Sub(started)}, g.wait(ctx, at)
}

// runSlots are those of scheduled questions. One of these waits at a time, and
// reserves slots for those behind it in the same write.
type runSlots struct {
	lock     host.Lock
	waiting  atomic.Int32
	reserved []Slot // guarded by lock
}

// waitInRun waits for the slot of a scheduled question, one that lies ahead
// from now. It reserves no more slots at once than pass while an app's question
// waits for its own: a run must not take those of apps and callbacks.
func (g *Guard) waitInRun(ctx context.Context, ahead time.Duration) (Slot, error) {
	run := &g.run
	run.waiting.Add(1)
	err := run.lock.Acquire(ctx)
	behind := run.waiting.Add(-1)
	if err != nil {
		return Slot{}, err
	}
	defer run.lock.Release()
	started := g.now()
	from := started.Add(ahead)
	run.reserved = slices.DeleteFunc(run.reserved, func(s Slot) bool {
		return s.Stale(from) || s.At.Sub(from) > BySchedule.maxWait() // later: the clock went back
	})
	if len(run.reserved) == 0 {
		times, err := g.reserveAll(ctx, ledger.SlotRequest{
			Limit: g.statuses(), From: from, MaxWait: BySchedule.maxWait(), Count: 1 + int(behind), Within: ByApp.maxWait(),
		})
		if err != nil {
			return Slot{}, err
		}
		cost := g.now().Sub(started)
		for _, at := range times {
			run.reserved = append(run.reserved, Slot{at, cost})
		}
	}
	slot := run.reserved[0]
	run.reserved = run.reserved[1:]
	return slot, g.wait(ctx, slot.At)
}

// AskAgain puts a question once more that certainly or probably went unheard,
// in a slot of its own; without one the first answer stands.
func (g *Guard) AskAgain(ctx context.Context, p payment.Payment, by Caller, first provider.Answer) provider.Answer {
	at, err := g.reserve(ctx, g.statuses(), g.now(), by.maxWait())
	if err != nil || g.wait(ctx, at) != nil || (Slot{At: at}).Stale(g.now()) {
		return first
	}
	answer := g.Status(ctx, p)
	answer.Exchanges = append(first.Exchanges, answer.Exchanges...)
	return answer
}

// WaitToSubmit waits for a slot for a request to pay and tells its time.
// *Refusal: there is none soon. An app beyond its share takes what is free at
// the moment, and leaves half of the burst to the others.
func (g *Guard) WaitToSubmit(ctx context.Context, clientID string) (slot time.Time, err error) {
	l, maxWait := g.submits(), submitMaxWait
	_, err = g.reserve(ctx, ofApp(l, clientID), g.now(), 0)
	var beyond *Refusal
	if errors.As(err, &beyond) {
		maxWait = 0
		l.Burst /= 2
	} else if err != nil {
		return time.Time{}, err
	}
	if slot, err = g.reserve(ctx, l, g.now(), maxWait); err != nil {
		return time.Time{}, err
	}
	return slot, g.wait(ctx, slot)
}
