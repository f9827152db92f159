package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

type reportQuestion struct {
	client, zone string
	by           []string
	window       window
	csv          bool
}

type reportView struct {
	From time.Time    `json:"from"`
	To   time.Time    `json:"to"`
	Zone string       `json:"zone"`
	Rows []*reportRow `json:"rows"`
}

// reportRow sums up what ended in one group.
type reportRow struct {
	Group    map[string]string `json:"group"`
	Payments int               `json:"payments"`
	Amount   string            `json:"amount"`
	Refunds  int               `json:"refunds"`
	Refunded string            `json:"refunded"`

	key                  []string
	currency             string
	minor, minorRefunded int64
}

// groups are what --by takes. A refund is of its payment's group, on its own day.
var groups = map[string]func(p ledger.Payment, at time.Time) string{
	"app":      func(p ledger.Payment, _ time.Time) string { return p.ClientID },
	"provider": func(p ledger.Payment, _ time.Time) string { return p.Provider },
	"account":  func(p ledger.Payment, _ time.Time) string { return p.AccountID() },
	"method":   func(p ledger.Payment, _ time.Time) string { return p.Method },
	"currency": func(p ledger.Payment, _ time.Time) string { return p.Amount.Currency },
	"day":      func(_ ledger.Payment, at time.Time) string { return at.Format(time.DateOnly) },
	"month":    func(_ ledger.Payment, at time.Time) string { return at.Format("2006-01") },
	"status":   func(p ledger.Payment, _ time.Time) string { return string(p.Status) },
}

var groupNames = []string{"app", "provider", "account", "method", "currency", "day", "month", "status"}

func (c cli) report() *cobra.Command {
	var q reportQuestion
	command := &cobra.Command{
		Use: "report", Short: "add up payments and refunds by the time of their ending",
		Long: `Adds up the payments that ended at --since or later and before --until: the last 24 hours
if neither is given. A payment counts on the day on which it ended, a refund on the day on
which it ended itself. Only successful payments count, unless status is one of --by.
Amounts of two currencies are never added up: currency is always one of --by.

It reads every payment of that time, and none is left out. What ends while it runs may be
missing: give --until.`,
		Example: `  momoctl report --by app,currency,day --since 2026-09-01 --until 2026-10-01 --csv
  momoctl report --by account,month --since 2026-01-01 --zone Africa/Mbabane`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains(q.by, "currency") {
				q.by = append(q.by, "currency")
			}
			for _, name := range q.by {
				if err := oneOf("by", name, groupNames); err != nil {
					return err
				}
			}
			if q.csv && c.json {
				return usageError("--csv and --json name two forms")
			}
			if q.csv {
				c.output = outputCSV
			}
			if _, err := time.LoadLocation(q.zone); err != nil {
				return usageError(fmt.Sprintf("--zone %q is no time zone: give one as Africa/Mbabane", printable(q.zone)))
			}
			_, _, err := q.window.read(c.now())
			return err
		},
		RunE: c.over(func(ctx context.Context, s *session, _ []string) error { return s.showReport(ctx, q) }),
	}
	f := command.Flags()
	f.StringSliceVar(&q.by, "by", []string{"app", "currency", "day"}, "`groups`, by commas: "+alternatives(groupNames))
	f.StringVar(&q.client, "client", "", "of the client with this `id`")
	f.StringVar(&q.zone, "zone", "UTC", "time `zone` of days and months")
	f.BoolVar(&q.csv, "csv", false, "answer in CSV: -o csv")
	q.window.add(command, "ended")
	completeFlag(command, "client", c.clientIDs)
	completeFlag(command, "by", fixed(groupNames))
	return command
}

func (s *session) showReport(ctx context.Context, q reportQuestion) error {
	from, to, err := q.window.read(s.now())
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = s.clock()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if q.client != "" {
		if err := s.known(ctx, q.client); err != nil {
			return err
		}
	}
	zone, err := time.LoadLocation(q.zone)
	if err != nil {
		return err
	}
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	v := reportView{From: from, To: to, Zone: zone.String(), Rows: []*reportRow{}}
	byKey := map[string]*reportRow{}
	row := func(p ledger.Payment, at time.Time) *reportRow {
		r := &reportRow{Group: map[string]string{}, currency: p.Amount.Currency}
		for _, name := range q.by {
			r.Group[name] = groups[name](p, at.In(zone))
			r.key = append(r.key, r.Group[name])
		}
		key := strings.Join(r.key, "\x00")
		if byKey[key] == nil {
			byKey[key] = r
			v.Rows = append(v.Rows, r)
		}
		return byKey[key]
	}
	err = s.ended(ctx, q.client, from, to, func(p ledger.Payment) error {
		if within(p.EndedAt) && (p.Status == payment.Successful || slices.Contains(q.by, "status")) {
			r := row(p, p.EndedAt)
			r.Payments++
			r.minor += p.Amount.Minor
		}
		if p.Refunds.Count == 0 {
			return nil
		}
		refunds, err := s.ledger.Refunds(ctx, p.Reference)
		for _, f := range refunds {
			if f.Status == refund.Successful && within(f.EndedAt) {
				r := row(p, f.EndedAt)
				r.Refunds++
				r.minorRefunded += f.Amount.Minor
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range v.Rows {
		r.Amount = payment.Money{Minor: r.minor, Currency: r.currency}.Decimal()
		r.Refunded = payment.Money{Minor: r.minorRefunded, Currency: r.currency}.Decimal()
	}
	slices.SortFunc(v.Rows, func(a, b *reportRow) int { return slices.CompareFunc(a.key, b.key, cmp.Compare[string]) })
	return s.answer(v, func(t *text) {
		heads := append(slices.Clone(q.by), "payments", "amount", "refunds", "refunded")
		if !t.asCSV {
			t.line("Ended from %s to %s UTC, days of %s.", short(from), short(to), v.Zone)
			for i := range heads {
				heads[i] = strings.ToUpper(heads[i])
			}
		}
		rows := [][]string{heads}
		for _, r := range v.Rows {
			rows = append(rows, append(slices.Clone(r.key), fmt.Sprint(r.Payments), r.Amount, fmt.Sprint(r.Refunds), r.Refunded))
		}
		t.list("payments", rows)
	})
}
