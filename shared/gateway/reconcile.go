package gateway

import (
	"context"
	"errors"
	"time"

	"momoproxy/shared/guard"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// reconcilePage is how many due payments are read at once.
const reconcilePage = 200

// Tally is what a reconcile run did.
type Tally struct {
	Checked    int           // payments asked about and answered for
	Ended      int           // of which ended now
	Unanswered int           // asked about; the provider said nothing usable
	Postponed  int           // over the provider's limit
	Failed     int           // a fault of ours; their next check stands
	OldestDue  time.Duration // how late the most overdue payment was
	Complete   bool          // everything due was seen
}

// Reconcile works off the payments whose next check has come. It stops before
// ctx ends and resumes where it stopped by itself, because what it has worked
// off is no longer due. Runs that overlap do no harm: each check is claimed.
// Where the backlog has nothing due it does not look; nil: it looks everywhere.
func (g *Gateway) Reconcile(ctx context.Context, backlog *ledger.Backlog) (Tally, error) {
	var t Tally
	t.Complete = true
	var faults []error
	note := func(err error) {
		if err != nil {
			faults = append(faults, err)
			t.Complete = false
		}
	}
	first := int(g.now().Unix()/60) % ledger.DueShards // changes, so that none starves
	q := &queueOfRun{asked: map[string]int{}}
	for i := range ledger.DueShards {
		if shard := (first + i) % ledger.DueShards; backlog.PaymentsDue(shard) {
			note(g.reconcilePayments(ctx, shard, q, &t))
		}
	}
	note(g.checkAll(ctx, q.later, &t))
	return t, errors.Join(faults...)
}

// fairShare is how many of one app's payments a run asks about before it has
// seen everybody's: about a fifth of what MTN's limit lets it ask in all.
const fairShare = 60

// heldBack bounds how many due payments a run remembers until every app
// got its share. What does not fit stays due.
const heldBack = 5_000

// queueOfRun hands each app its share and keeps the rest for later.
type queueOfRun struct {
	asked map[string]int // by client
	later []ledger.Due
}

// admit picks those of a page whose app still has a share.
func (q *queueOfRun) admit(page []ledger.Due) []ledger.Due {
	now := page[:0]
	for _, d := range page {
		switch {
		case q.asked[d.ClientID] < fairShare:
			q.asked[d.ClientID]++
			now = append(now, d)
		case len(q.later) < heldBack:
			q.later = append(q.later, d)
		}
	}
	return now
}

// reconcilePayments walks one shard. An app with thousands of open payments
// is held back until the others' have been asked about.
func (g *Gateway) reconcilePayments(ctx context.Context, shard int, q *queueOfRun, t *Tally) error {
	before, after := g.now(), ""
	for {
		due, err := g.Ledger.Due(ctx, ledger.DueQuery{Kind: ledger.DuePayment, Shard: shard, Before: before}, ledger.Paging{Limit: reconcilePage, Cursor: after})
		if err != nil {
			return err
		}
		if err := g.checkAll(ctx, q.admit(due.Items), t); err != nil {
			return err
		}
		if due.Next == "" {
			return nil
		}
		after = due.Next
	}
}

const (
	// maxChecks is how many payments a run asks about at a time. It hides the
	// provider's answer times; the provider's rate is limited apart.
	maxChecks = 8
	// checkTakes is the least that a check needs: one that begins at a run's
	// very end claims its payment and then cannot ask.
	checkTakes = time.Second
)

// checkAll asks about a page of payments, a few at a time. The error says
// that the run's time is up.
func (g *Gateway) checkAll(ctx context.Context, due []ledger.Due, t *Tally) error {
	starting, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		starting, cancel = context.WithDeadline(ctx, deadline.Add(-checkTakes))
	}
	defer cancel()
	ended, late := make([]bool, len(due)), make([]time.Duration, len(due))
	faults := g.Parallel.Each(starting, maxChecks, len(due), func(i int) (err error) {
		defer func() { late[i] = g.now().Sub(due[i].At) }()
		ended[i], err = g.check(ctx, due[i].Reference)
		return err
	})
	for i, err := range faults {
		if errors.Is(err, host.ErrNotStarted) {
			continue // it stays due
		}
		t.count(ended[i], err, late[i])
		if err != nil && !errors.Is(err, ErrPostponed) && !errors.Is(err, ErrUnanswered) {
			g.Log.ErrorContext(ctx, "reconcile.check_failed", "reference", due[i].Reference, "error", err.Error())
		}
	}
	return starting.Err()
}

func (t *Tally) count(ended bool, err error, late time.Duration) {
	t.OldestDue = max(t.OldestDue, late)
	switch {
	case errors.Is(err, ErrPostponed):
		t.Postponed++
	case errors.Is(err, ErrUnanswered):
		t.Unanswered++
	case err != nil:
		t.Failed++
	default:
		t.Checked++
		if ended {
			t.Ended++
		}
	}
}

// check asks about one payment if it is still due by its own record.
func (g *Gateway) check(ctx context.Context, reference string) (ended bool, err error) {
	p, err := g.Ledger.Payment(ctx, reference)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now := g.now()
	if p.NextCheckAt.IsZero() || p.NextCheckAt.After(now) {
		return false, nil // the index lagged, or another run was faster
	}
	after, _, err := g.poll(ctx, p, trigger{who: guard.BySchedule})
	return p.Open() && !after.Open(), err
}

// scheduleMargin is left of a scheduled run for the writes of the checks that
// are under way when it stops.
const scheduleMargin = 8 * time.Second

// scheduled ends scheduleMargin before the function does.
func scheduled(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-scheduleMargin))
	}
	return ctx, func() {}
}

// OnSchedule is one scheduled run, bounded by the function's deadline. What
// it does not reach stays due for the next.
func (g *Gateway) OnSchedule(ctx context.Context, backlog *ledger.Backlog) error {
	ctx, cancel := scheduled(ctx)
	defer cancel()
	// Side by side: a provider that gives a token slowly keeps nobody's
	// payments waiting.
	var tally Tally
	faults := g.Parallel.Each(ctx, 1+len(g.Providers), 1+len(g.Providers), func(i int) (err error) {
		if i > 0 {
			g.maintain(ctx, g.Providers[i-1])
			return nil
		}
		tally, err = g.Reconcile(ctx, backlog)
		return err
	})
	err := errors.Join(faults...)
	g.Log.InfoContext(ctx, "reconcile", "checked", tally.Checked, "ended", tally.Ended, "unanswered", tally.Unanswered,
		"put_off", tally.Postponed, "failed", tally.Failed,
		"oldest_due_ms", tally.OldestDue.Milliseconds(), "complete", tally.Complete)
	if errors.Is(err, context.DeadlineExceeded) && tally.Checked+tally.Ended > 0 {
		return nil // bounded, not broken: the next run goes on
	}
	return err
}

// maintain lets a provider do ahead of time what requests would wait for. A
// failure is logged before a request meets it.
func (g *Gateway) maintain(ctx context.Context, prov *guard.Guard) {
	if err := prov.Maintain(ctx); err != nil {
		g.Log.WarnContext(ctx, "provider.not_ready", "provider", prov.Capabilities().ID(), "error", err.Error())
	}
}
