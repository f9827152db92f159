package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/forwarder"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
)

// deadView is one dead letter.
type deadView struct {
	ID        string    `json:"id"`
	SentAt    time.Time `json:"sentAt"`
	Reference string    `json:"referenceId,omitempty"`
	Sequence  int       `json:"sequence,omitempty"`
	Body      string    `json:"body,omitempty"` // of one that cannot be read
}

func viewOfDead(l queue.DeadLetter) deadView {
	v := deadView{ID: l.ID, SentAt: l.SentAt}
	var err error
	if v.Reference, v.Sequence, err = forwarder.ReadDoorbell(l.Body); err != nil {
		v.Reference, v.Sequence, v.Body = "", 0, fmt.Sprintf("%.200s", l.Body)
	}
	return v
}

func (v deadView) String() string {
	if v.Reference == "" {
		return fmt.Sprintf("%q", v.Body)
	}
	return fmt.Sprintf("%s %d", v.Reference, v.Sequence)
}

type deadList struct {
	Waiting int        `json:"waiting"`
	Dead    int        `json:"dead"`
	Oldest  time.Time  `json:"oldest,omitzero"` // of the letters shown
	Letters []deadView `json:"letters"`
}

const (
	// peekFor hides letters from a redrive while they are shown.
	peekFor = 5 * time.Second
	// maxPeek bounds how many letters dlq show looks at.
	maxPeek = 100
	// redriveFor hides letters from another redrive.
	redriveFor = 2 * time.Minute
)

func (c cli) dlqShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "count the dead letters and show some",
		Long: `Counts the doorbells that wait and those that the forwarder failed at five times, and
shows up to 100 of these, which it hides from a redrive for five seconds. In SQS the
counts lag by up to a minute.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.showDead(ctx) }),
	}
}

func (s *session) showDead(ctx context.Context) error {
	list := deadList{Letters: []deadView{}}
	var err error
	if list.Waiting, list.Dead, err = s.queue.Depth(ctx); err != nil {
		return err
	}
	err = s.takeDead(ctx, peekFor, maxPeek, func(letters []queue.DeadLetter) error {
		for _, l := range letters {
			list.Letters = append(list.Letters, viewOfDead(l))
			if list.Oldest.IsZero() || l.SentAt.Before(list.Oldest) {
				list.Oldest = l.SentAt
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.answer(list, func(t *text) {
		t.line("%s, %s", plural(list.Dead, "dead letter"), plural(list.Waiting, "doorbell waits", "doorbells wait"))
		if len(list.Letters) == 0 {
			return
		}
		t.line("The oldest shown was sent %s ago.", ago(s.now().Sub(list.Oldest)))
		t.line("")
		rows := [][]string{{"SENT", "EVENT"}}
		for _, l := range list.Letters {
			rows = append(rows, []string{short(l.SentAt), l.String()})
		}
		t.table(rows...)
	})
}

// takeDead takes up to most letters, ten at a time; one taken twice ends it.
func (s *session) takeDead(ctx context.Context, visibility time.Duration, most int, each func([]queue.DeadLetter) error) error {
	seen := map[string]bool{}
	for len(seen) < most {
		letters, err := s.dead.TakeDead(ctx, min(queue.MaxReceive, most-len(seen)), visibility)
		if errors.Is(err, queue.ErrNoDeadLetters) {
			return refused("%w", err)
		}
		if err != nil || len(letters) == 0 {
			return err
		}
		fresh := letters[:0]
		for _, l := range letters {
			if !seen[l.ID] {
				seen[l.ID] = true
				fresh = append(fresh, l)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := each(fresh); err != nil {
			return err
		}
	}
	return nil
}

type redriveView struct {
	Rung       int        `json:"rung"`
	Ended      int        `json:"ended"`
	Unknown    int        `json:"unknown"`
	Unreadable []deadView `json:"unreadable,omitempty"`
	Dropped    bool       `json:"unreadableDropped,omitempty"`
}

// maxRedrive bounds one run, so that it holds little in memory.
const maxRedrive = 100_000

func (c cli) dlqRedrive() *cobra.Command {
	var drop bool
	command := &cobra.Command{
		Use: "redrive", Short: "ring again for dead letters and delete them",
		Long: `For each dead letter whose event has not ended, rings again; then deletes the letter.
Messages hold ids only, and what is due stands in the table: repeating this, or doing it
twice at once, makes no attempt more than the schedule has. Mend first what the forwarder
failed at, or they are dead letters again after five more tries.

Letters that cannot be read are kept and shown, unless --drop-unreadable is given.`,
		Args: takes(nil),
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.redrive(ctx, drop) }),
	}
	command.Flags().BoolVar(&drop, "drop-unreadable", false, "delete letters that cannot be read, too")
	return command
}

func (s *session) redrive(ctx context.Context, drop bool) error {
	v := redriveView{Dropped: drop}
	err := s.takeDead(ctx, redriveFor, maxRedrive, func(letters []queue.DeadLetter) error {
		return s.redriveBatch(ctx, letters, drop, &v)
	})
	shown := s.answer(v, func(t *text) {
		t.line("Rang again for %s; %d had ended, %d are not in the ledger.", plural(v.Rung, "event"), v.Ended, v.Unknown)
		for _, l := range v.Unreadable {
			t.line("  unreadable: %s sent %s: %s", l.ID, short(l.SentAt), l)
		}
		if n := len(v.Unreadable); n > 0 && !drop {
			t.line("%s kept; --drop-unreadable deletes what cannot be read.", plural(n, "letter is", "letters are"))
		}
	})
	return errors.Join(err, shown)
}

// redriveBatch deletes no letter before its doorbell has been rung.
func (s *session) redriveBatch(ctx context.Context, letters []queue.DeadLetter, drop bool, v *redriveView) error {
	var done []string
	var bells []delivery.Delivery
	for _, l := range letters {
		reference, sequence, err := forwarder.ReadDoorbell(l.Body)
		if err != nil {
			v.Unreadable = append(v.Unreadable, viewOfDead(l))
			if drop {
				done = append(done, l.Receipt)
			}
			continue
		}
		d, err := s.ledger.Delivery(ctx, reference, sequence)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			v.Unknown++
		case err != nil:
			return err
		case d.DueAt().IsZero() && d.State != delivery.Waiting:
			v.Ended++
		default:
			bells = append(bells, d)
		}
		done = append(done, l.Receipt)
	}
	if err := s.doorbell().Ring(ctx, bells...); err != nil {
		return err
	}
	v.Rung += len(bells)
	return s.dead.DeleteDead(ctx, done...)
}
