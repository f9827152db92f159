package forwarder

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

const (
	// DrainRate is how many held events a second are released to an endpoint
	// that recovered. New events are sent at once, beside them.
	DrainRate = 50
	// drainAhead is how much of that one sweep gives out: until the next.
	drainAhead = time.Minute
	// drainQuiet is how long after an endpoint recovered, and after the last
	// release, nothing more can be found: longer than the index of held events
	// ever lags.
	drainQuiet = 15 * time.Minute
	// lookFor bounds the held events that a sweep looks at in search of one
	// to probe with: the index may show some that are held no longer.
	lookFor = 20
)

// probe begins a probe of an open endpoint: with its oldest held event, and
// with each next one as probes fail, so that one event which the app always
// refuses does not keep its endpoint shut. With nothing held there is nothing
// to find out, and it is looked at again when the next probe would be due.
func (s *Sweeper) probe(ctx context.Context, e delivery.Endpoint, now time.Time) (int, error) {
	from := ""
	if e.Probed != "" {
		from = e.Probed + "~" // past it
	}
	d, place, err := s.candidate(ctx, e, from)
	if err == nil && place == "" && from != "" {
		d, place, err = s.candidate(ctx, e, "") // round again
	}
	if err != nil {
		return 0, err
	}
	if place == "" {
		e.ProbeAt = now.Add(delivery.ProbeEvery)
		_, err := s.Ledger.SaveEndpoint(ctx, e, now)
		return 0, err
	}
	moved, err := s.movedAway(ctx, d, e, now)
	if err != nil {
		return 0, err
	}
	if moved {
		// The app has another URL now, which this circuit says nothing about.
		_, err := s.Ledger.SaveEndpoint(ctx, e.Reopen(now), now)
		if err == nil {
			s.Log.InfoContext(ctx, "endpoint.left", "client", e.ClientID, "endpoint", e.Origin)
		}
		return 0, err
	}
	if _, err := s.Ledger.SaveEndpoint(ctx, e.BeginProbe(d.EventID, place, now), now); err != nil {
		return 0, err
	}
	return 1, s.Doorbell.Ring(ctx, d)
}

// candidate finds the first held event from a place on that may be probed
// with: one whose payment has no earlier event to deliver first.
func (s *Sweeper) candidate(ctx context.Context, e delivery.Endpoint, from string) (d delivery.Delivery, place string, err error) {
	held, err := s.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionHeld, ClientID: e.ClientID, Endpoint: e.Origin, From: from}, ledger.Paging{Limit: lookFor})
	if err != nil {
		return d, "", err
	}
	for _, a := range held.Items {
		all, err := s.Ledger.Deliveries(ctx, a.Reference)
		if err != nil {
			return d, "", err
		}
		d, predecessor, ok := delivery.Find(all, a.Sequence)
		if ok && predecessor == nil && d.HeldForEndpoint() && d.Endpoint == e.Origin {
			return d, a.Place(), nil
		}
	}
	return d, "", nil
}

// movedAway says whether a held event would go to another endpoint today.
func (s *Sweeper) movedAway(ctx context.Context, d delivery.Delivery, e delivery.Endpoint, now time.Time) (bool, error) {
	if d.URL != "" {
		return false, nil // the payment's own, for good
	}
	client, err := s.Ledger.RecentClient(ctx, d.ClientID, now)
	if errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrCorrupt) {
		return false, nil // the forwarder says so
	}
	return err == nil && delivery.Origin(client.CallbackURL) != e.Origin, err
}

// drain releases what is held for an endpoint that recovered, oldest first, at
// DrainRate. The time is claimed on the endpoint first, so that sweeps which
// overlap do not add up. What a sweep has claimed and not released, the next
// finds still held.
func (s *Sweeper) drain(ctx context.Context, e delivery.Endpoint, now time.Time) (int, error) {
	const apart = time.Second / DrainRate
	start := e.DrainedTo
	if start.Before(now) || start.After(now.Add(2*drainAhead)) { // later: a clock ran ahead
		start = now
	}
	room := int(now.Add(drainAhead).Sub(start) / apart)
	if room <= 0 {
		return 0, nil
	}
	held, err := s.heldUpTo(ctx, e, room)
	if err != nil {
		return 0, err
	}
	if len(held) == 0 {
		// Nobody can hold another one meanwhile: see HoldDelivery.
		if now.Sub(e.ClosedAt) < drainQuiet || now.Sub(e.DrainedTo) < drainQuiet {
			return 0, nil
		}
		e.State = delivery.EndpointClosed
		_, err := s.Ledger.SaveEndpoint(ctx, e, now)
		return 0, err
	}
	e.DrainedTo = ledger.Clock(start.Add(time.Duration(len(held)) * apart))
	if _, err := s.Ledger.SaveEndpoint(ctx, e, now); err != nil {
		return 0, err
	}
	return s.release(ctx, e, held, now, start, apart)
}

func (s *Sweeper) heldUpTo(ctx context.Context, e delivery.Endpoint, most int) ([]ledger.Attention, error) {
	var held []ledger.Attention
	cursor := ""
	for len(held) < most {
		page, err := s.Ledger.Inbox(ctx, ledger.InboxQuery{Kind: ledger.AttentionHeld, ClientID: e.ClientID, Endpoint: e.Origin}, ledger.Paging{Limit: min(most-len(held), table.MaxLimit), Cursor: cursor})
		if err != nil {
			return nil, err
		}
		held = append(held, page.Items...)
		if page.Next == "" {
			break
		}
		cursor = page.Next
	}
	return held, nil
}

// release makes each due, one after the other, and rings.
func (s *Sweeper) release(ctx context.Context, e delivery.Endpoint, held []ledger.Attention, now, start time.Time, apart time.Duration) (int, error) {
	released := make([]*delivery.Delivery, len(held))
	faults := s.Parallel.Each(ctx, maxParallel, len(held), func(i int) error {
		a, at := held[i], ledger.Clock(start.Add(time.Duration(i)*apart))
		d, err := s.Ledger.Delivery(ctx, a.Reference, a.Sequence)
		switch ahead := d.LeaseUntil.Sub(now); {
		case err != nil:
		case !d.HeldForEndpoint() || d.Endpoint != e.Origin:
			return nil // the index was behind
		case at.Before(d.LeaseUntil) && ahead <= lease: // further: a clock ran ahead
			return nil // being attempted, by a probe or by hand: the next sweep sees what came of it
		default:
			d, err = s.Ledger.SaveDelivery(ctx, d.Release(at))
		}
		if err == nil {
			released[i] = &d
		}
		return err
	})
	due := make([]delivery.Delivery, 0, len(held))
	for i, err := range faults {
		switch {
		case errors.Is(err, ledger.ErrNotFound), errors.Is(err, ledger.ErrStale), errors.Is(err, host.ErrNotStarted):
			faults[i] = nil // somebody else was faster, or the next sweep finds it
		case released[i] != nil:
			due = append(due, *released[i])
		}
	}
	if len(due) > 0 {
		faults = append(faults, s.Doorbell.Ring(ctx, due...))
	}
	return len(due), errors.Join(faults...)
}
