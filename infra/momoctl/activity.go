package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

type activityView struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Activity is oldest first within a page.
	Activity []happening `json:"activity"`
	Next     string      `json:"next,omitempty"`
}

// happening is one line of it.
type happening struct {
	At        time.Time `json:"at"`
	ClientID  string    `json:"clientId,omitempty"`
	Reference string    `json:"referenceId,omitempty"`
	What      string    `json:"what"`
}

const (
	// madeBefore is how much older than the time asked for a payment may be.
	madeBefore = 24 * time.Hour
	// maxTrail bounds what is read of one payment, client or hour.
	maxTrail    = 200
	longestSpan = 24 * time.Hour
)

// span is the time that is asked for.
type span struct {
	at, client string
	lasts      length
	page       pageFlags
}

func (c cli) activity() *cobra.Command {
	q := span{lasts: length(10 * time.Minute)}
	command := &cobra.Command{
		Use: "activity", Short: "what happened at a time, over everything",
		Long: `Lists what happened from a time on, for so long: payments and their exchanges with the
provider, callbacks to apps, endpoints that failed or recovered, what operators did,
callbacks that matched nothing, and our own calls to providers.

Payments made up to a day before are looked at, client by client, newest first. --limit
bounds how many, and --after goes on with the next; each page is oldest first. What an
endpoint did is known of its latest failure and recovery alone, and without --client what
belongs to no payment is that of the first 100 clients.`,
		Example: `  momoctl activity --at 14:05 --for 10m
  momoctl activity --at 2026-09-01T14:05 --for 1h --client cli_0a1b -o csv`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			switch lasts := time.Duration(q.lasts); {
			case q.at == "":
				return usageError("--at must be given")
			case lasts <= 0 || lasts > longestSpan:
				return usageError("--for must be up to a day")
			}
			if _, err := readTime("at", q.at, c.now()); err != nil {
				return err
			}
			return q.page.check()
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.showActivity(ctx, q) }),
	}
	f := command.Flags()
	f.StringVar(&q.at, "at", "", "from this `time` on; required")
	f.Var(&q.lasts, "for", "for so long")
	f.StringVar(&q.client, "client", "", "of the client with this `id`")
	q.page.add(command)
	completeFlag(command, "client", c.clientIDs)
	return command
}

func (s *session) showActivity(ctx context.Context, q span) error {
	v := activityView{Activity: []happening{}}
	var err error
	if v.From, err = readTime("at", q.at, s.now()); err != nil {
		return err
	}
	v.To = v.From.Add(time.Duration(q.lasts))
	if q.client != "" {
		if err := s.known(ctx, q.client); err != nil {
			return err
		}
	}
	walk := walker[ledger.Payment]{session: s, client: q.client, fetch: func(ctx context.Context, client string, p ledger.Paging) (ledger.Page[ledger.Payment], error) {
		return s.ledger.ListPayments(ctx, client, ledger.PaymentFilter{From: v.From.Add(-madeBefore), To: v.To}, p)
	}}
	payments, next, err := walk.collect(ctx, q.page)
	if err != nil {
		return badCursor("after", err)
	}
	v.Next = next
	if q.page.after == "" {
		if err := s.besidePayments(ctx, q.client, &v); err != nil {
			return err
		}
	}
	for _, p := range payments {
		if err := s.ofPayment(ctx, p, &v); err != nil {
			return err
		}
	}
	slices.SortStableFunc(v.Activity, func(a, b happening) int { return a.At.Compare(b.At) })
	err = s.answer(v, func(t *text) {
		rows := [][]string{{"AT", "CLIENT", "PAYMENT", "WHAT"}}
		for _, h := range v.Activity {
			rows = append(rows, []string{stamp(h.At), orDash(h.ClientID), orDash(h.Reference), h.What})
		}
		t.list("activity", rows)
	})
	if err == nil && !s.json {
		s.more(next)
	}
	return err
}

// add keeps what lies in the span.
func (v *activityView) add(at time.Time, client, reference, what string) {
	if !at.Before(v.From) && at.Before(v.To) {
		v.Activity = append(v.Activity, happening{at, client, reference, what})
	}
}

func (v *activityView) addAudit(records []ledger.AuditRecord) {
	for _, a := range records {
		what := fmt.Sprintf("%s  %s %s%s", a.Direction, a.Method, a.URL, answerOf(a))
		if a.Note != "" {
			what += "; " + a.Note
		}
		v.add(a.At, a.ClientID, "", what)
	}
}

// ofPayment adds what happened to a payment and its deliveries.
func (s *session) ofPayment(ctx context.Context, p ledger.Payment, v *activityView) error {
	story, err := s.ledger.Story(ctx, p.Reference)
	if err != nil {
		return err
	}
	trail, err := s.ledger.AuditPage(ctx, ledger.AuditQuery{Reference: p.Reference, From: v.From, To: v.To, Limit: maxTrail})
	if err != nil {
		return err
	}
	for _, m := range timeline(story, trail.Items) {
		v.add(m.at, p.ClientID, p.Reference, m.what)
	}
	return nil
}

// besidePayments adds what belongs to clients, and to nobody.
func (s *session) besidePayments(ctx context.Context, client string, v *activityView) error {
	clients := []string{client}
	if client == "" {
		page, err := s.ledger.ListClientIDs(ctx, ledger.Paging{Limit: ledger.MaxListed})
		if err != nil {
			return err
		}
		clients = page.Items
		for hour := v.From.Truncate(time.Hour); hour.Before(v.To); hour = hour.Add(time.Hour) {
			for _, kind := range []ledger.AuditKind{ledger.AuditUnmatched, ledger.AuditProvider} {
				page, err := s.ledger.AuditPage(ctx, ledger.AuditQuery{Kind: kind, Hour: hour, From: v.From, To: v.To, Limit: maxTrail})
				if err != nil {
					return err
				}
				v.addAudit(page.Items)
			}
		}
	}
	for _, id := range clients {
		page, err := s.ledger.AuditPage(ctx, ledger.AuditQuery{ClientID: id, From: v.From, To: v.To, Limit: maxTrail})
		if err != nil {
			return err
		}
		v.addAudit(page.Items)
		endpoints, err := s.ledger.Endpoints(ctx, id)
		if err != nil {
			return err
		}
		for _, e := range endpoints {
			v.add(e.FailingSince, id, "", "endpoint  "+e.Origin+" began to fail")
			v.add(e.OpenedAt, id, "", "endpoint  "+e.Origin+" is not sent to: its circuit opened")
			v.add(e.DisabledAt, id, "", "endpoint  "+e.Origin+" disabled: "+e.DisabledReason)
			v.add(e.ClosedAt, id, "", "endpoint  "+e.Origin+" recovered")
		}
	}
	return nil
}
