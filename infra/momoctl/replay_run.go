package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
)

// replayPage is how many index entries a replay looks at together. Nothing of
// a page outlives it, so a replay's memory does not grow with its length.
const replayPage = 100

// ringEvery is how many doorbells are rung together.
const ringEvery = 10

// eachSelected shows do the selected events, page by page. The cursor stands
// at the beginning of a page until that is worked off: a resumed run meets
// the page again, and skip leaves out what was sent of it.
func (s *session) eachSelected(ctx context.Context, c *cursor, do func(delivery.Delivery) error) error {
	w := s.walk(c.filter())
	for {
		found, next, done, err := w.page(ctx, c.At, replayPage)
		if err != nil {
			return badCursor("resume", err)
		}
		for _, d := range found {
			if err := do(d); err != nil {
				return err
			}
		}
		if done {
			return nil
		}
		c.At = next
	}
}

// count is the dry run.
func (s *session) count(ctx context.Context, c cursor) (t tally, err error) {
	err = s.eachSelected(ctx, &c, func(d delivery.Delivery) error {
		why := c.skip(d)
		if why == "" {
			var err error
			if why, err = s.foretell(ctx, d); err != nil {
				return err
			}
		}
		if why != "" {
			t.leave(why)
			return nil
		}
		t.send(d)
		return nil
	})
	return t, err
}

// foretell says why a delivery would not be attempted; empty: it would. It
// reads little: clients and endpoints are remembered for seconds.
func (s *session) foretell(ctx context.Context, d delivery.Delivery) (leftOut, error) {
	if lacks, err := s.lacks(ctx, d); err != nil || lacks != "" {
		return unsendable, err
	}
	url := d.URL
	if url == "" {
		c, err := s.ledger.RecentClient(ctx, d.ClientID, s.now())
		if err != nil {
			return "", err
		}
		url = c.CallbackURL
	}
	e, err := s.ledger.RecentEndpoint(ctx, d.ClientID, delivery.Origin(url), s.now())
	if err == nil && e.State == delivery.EndpointDisabled {
		return endpointDisabled, nil
	}
	return "", err
}

// replaying is a run at work.
type replaying struct {
	*session
	cursor   cursor
	rate     int
	next     time.Time // when the throttle lets the next event through
	bells    []delivery.Delivery
	progress progress
}

// runReplay sends what is selected, from where the cursor stands.
func (s *session) runReplay(ctx context.Context, c cursor, rate int) error {
	r := &replaying{session: s, cursor: c, rate: rate, next: s.now()}
	r.progress = progress{out: s.err, terminal: s.terminal, now: s.now, total: c.Total, began: s.now(), before: c.Tally.Sent}
	err := s.eachSelected(ctx, &r.cursor, func(d delivery.Delivery) error { return r.one(ctx, d) })
	r.ringAll(ctx)
	r.progress.end(r.cursor.Tally.Sent)
	v := replayView{Done: err == nil, Start: stampJSON(c.Start), Rate: rate, tally: r.cursor.Tally}
	if err != nil {
		v.Resume = r.cursor.String()
	}
	shown := s.answer(v, func(t *text) {
		describeReplay(t, "sent again: one attempt for each", v.tally)
	})
	if err != nil {
		return unfinished{fmt.Errorf("the replay is not finished (%w); to go on: momoctl%s delivery replay --rate %d --resume %s",
			errors.Join(err, shown), s.storeFlags(), rate, v.Resume)}
	}
	return shown
}

// storeFlags name the same store again.
func (s *session) storeFlags() string {
	if s.options.stack != "" {
		flags := " --stack " + s.options.stack
		if s.profile != "" {
			flags += " --profile " + s.profile
		}
		if s.region != "" {
			flags += " --region " + s.region
		}
		return flags
	}
	return fmt.Sprintf(" --data %q", s.data)
}

// one sends one event, when its turn comes.
func (r *replaying) one(ctx context.Context, d delivery.Delivery) error {
	tally := &r.cursor.Tally
	if why := r.cursor.skip(d); why != "" {
		tally.leave(why)
		return nil
	}
	if lacks, err := r.lacks(ctx, d); err != nil {
		return err
	} else if lacks != "" {
		tally.leave(unsendable)
		return nil
	}
	if err := r.throttle(ctx); err != nil {
		return err
	}
	due, err := r.person().MakeDue(ctx, d, "replay")
	switch {
	case errors.Is(err, delivery.ErrUnderway):
		tally.leave(underway)
	case errors.Is(err, ledger.ErrStale):
		tally.leave(changed)
	case errors.Is(err, ledger.ErrEndpointDisabled):
		tally.leave(endpointDisabled)
	case err != nil:
		return err
	default:
		tally.send(d)
		if r.bells = append(r.bells, due); len(r.bells) >= ringEvery {
			r.ringAll(ctx)
		}
	}
	r.progress.show(tally.Sent)
	return nil
}

// throttle waits for the event's turn. Turns that were missed are not made up
// for: a slow table must not lead to a burst.
func (r *replaying) throttle(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := r.now()
	if r.next.Before(now) {
		r.next = now
	}
	wait := r.next.Sub(now)
	r.next = r.next.Add(time.Second / time.Duration(r.rate))
	if wait > 0 && len(r.bells) > 0 && wait > time.Second/ringEvery {
		r.ringAll(ctx) // a slow run does not keep its apps waiting
	}
	return r.sleep(ctx, wait)
}

// ringAll rings for what has been made due, though the run be interrupted.
func (r *replaying) ringAll(ctx context.Context) {
	if len(r.bells) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	r.person().Ring(ctx, r.bells...)
	r.bells = r.bells[:0]
}

// lasting is how long n events take, in words.
func lasting(n, rate int) string { return ago(time.Duration(n) * time.Second / time.Duration(rate)) }

func stampJSON(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
