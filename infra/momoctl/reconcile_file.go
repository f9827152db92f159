package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/infra/statement"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
)

type reconcileQuestion struct {
	provider, account, mapping string
	window                     window
	apply                      bool
}

type reconcileView struct {
	Provider    string                 `json:"provider"`
	Account     string                 `json:"account,omitempty"`
	From        time.Time              `json:"from"`
	To          time.Time              `json:"to"`
	Rows        int                    `json:"rows"`
	Ignored     int                    `json:"ignoredRows"`
	Agree       int                    `json:"agree"`
	Applied     bool                   `json:"applied"`
	Corrected   int                    `json:"corrected"`
	Remaining   int                    `json:"remaining"`
	Counts      map[differenceKind]int `json:"counts"`
	Differences []difference           `json:"differences"`
}

func (c cli) reconcileFile() *cobra.Command {
	var q reconcileQuestion
	command := &cobra.Command{
		Use: "reconcile-file FILE", Short: "compare a provider's file with the ledger and with what apps were told",
		Long: `Compares three things: the transactions in a provider's CSV file, the payments in the
ledger, and the endings that apps have confirmed. It lists every difference. First come
payments that are in the file and not in the ledger, then those that were paid there and
timed out here. It reads; no provider is asked and nothing is written.

The ledger is searched for successful payments that the file lacks. They ended at --since
or later and before --until. Without the two the times of the file's first and last
transaction are taken: give both, so that the end of a day is searched too.

The file's columns are known for some providers. For others --mapping names a JSON file;
docs/operate.md shows one.

With --apply it asks the provider about each payment whose status or amount differs. Only
the provider's own answer corrects a payment; the file never does. What is not corrected
stays in the list. It then needs the account, as payment check does.

The exit code is 1 if a difference is left.`,
		Example: `  momoctl reconcile-file --provider mtn --mapping mtn.json --since 2026-09-01 --until 2026-09-02 september-1.csv
  momoctl reconcile-file --provider mtn --mapping mtn.json --apply --json september-1.csv`,
		Args: takes(nil),
		PreRunE: func(*cobra.Command, []string) error {
			if err := oneOf("provider", q.provider, providerNames()); err != nil {
				return err
			}
			_, _, err := q.window.read(c.now())
			return err
		},
		RunE: func(command *cobra.Command, args []string) error {
			c.provider = q.apply
			file, err := q.read(args[0])
			if err != nil {
				return err
			}
			return c.over(func(ctx context.Context, s *session, _ []string) error { return s.reconcile(ctx, q, file) })(command, args)
		},
	}
	f := command.Flags()
	f.StringVar(&q.provider, "provider", "", "`name` of the provider whose file it is; required")
	f.StringVar(&q.account, "account", "", "the account with this `id` alone, where the provider has several")
	f.StringVar(&q.mapping, "mapping", "", "JSON `file` that says what the columns are called")
	f.BoolVar(&q.apply, "apply", false, "ask the provider about each payment that differs")
	q.window.add(command, "ended")
	completeFlag(command, "provider", fixed(providerNames()))
	return command
}

// read reads the file in the provider's form, or in that of the mapping.
func (q reconcileQuestion) read(path string) (file statement.File, err error) {
	form, err := q.form()
	if err != nil {
		return file, err
	}
	f, err := os.Open(path)
	if err != nil {
		return file, err
	}
	defer func() { _ = f.Close() }()
	return statement.Read(f, form)
}

func (q reconcileQuestion) form() (provider.Statement, error) {
	if q.mapping != "" {
		f, err := os.Open(q.mapping)
		if err != nil {
			return provider.Statement{}, err
		}
		defer func() { _ = f.Close() }()
		return statement.ReadMapping(f)
	}
	for _, r := range providers.All() {
		if r.Name == q.provider && r.Statement != nil {
			return *r.Statement, nil
		}
	}
	return provider.Statement{}, usageError(fmt.Sprintf("--mapping must be given: the columns of %s's file are not known", q.provider))
}

// reconciliation compares one file.
type reconciliation struct {
	*session
	reconcileQuestion
	view    reconcileView
	paid    map[string]int   // lines of paid payments, by reference
	failed  map[string]bool  // references of payments that the file says were not paid
	refunds map[string]int64 // minor units in the file so far, by reference
}

func (s *session) reconcile(ctx context.Context, q reconcileQuestion, file statement.File) error {
	r := &reconciliation{session: s, reconcileQuestion: q, paid: map[string]int{}, failed: map[string]bool{}, refunds: map[string]int64{}}
	r.view = reconcileView{
		Provider: q.provider, Account: q.account, Rows: len(file.Rows), Ignored: file.Ignored, Applied: q.apply,
		Counts: map[differenceKind]int{}, Differences: []difference{},
	}
	var err error
	if r.view.From, r.view.To, err = q.period(file.Rows, s.now()); err != nil {
		return err
	}
	if q.apply {
		if err := s.checkAccount(q.provider, s.asking); err != nil {
			return err
		}
	}
	bar := progress{out: s.err, terminal: s.terminal, now: s.now, total: len(file.Rows), began: s.now()}
	// What was paid comes first: beside it a failed attempt to pay says nothing.
	slices.SortStableFunc(file.Rows, func(a, b statement.Row) int {
		switch {
		case a.Paid == b.Paid:
			return 0
		case a.Paid:
			return -1
		}
		return 1
	})
	for i, row := range file.Rows {
		d, err := r.row(ctx, row)
		if err != nil {
			return fmt.Errorf("line %d of the file: %w", row.Line, err)
		}
		if d == nil {
			r.view.Agree++
		} else {
			if err := r.ask(ctx, d, row); err != nil {
				return err
			}
			r.view.Differences = append(r.view.Differences, *d)
		}
		bar.show(i + 1)
	}
	bar.end(len(file.Rows))
	if err := r.missing(ctx); err != nil {
		return err
	}
	return r.answer()
}

// period is the time in which the ledger is searched for what the file lacks.
func (q reconcileQuestion) period(rows []statement.Row, now time.Time) (from, to time.Time, err error) {
	if from, to, err = q.window.read(now); err != nil {
		return
	}
	var first, last time.Time
	for _, r := range rows {
		if r.At.IsZero() {
			continue
		}
		if first.IsZero() || r.At.Before(first) {
			first = r.At
		}
		if r.At.After(last) {
			last = r.At
		}
	}
	if from.IsZero() {
		from = first
	}
	if to.IsZero() && !last.IsZero() {
		to = last.Add(time.Second)
	}
	if from.IsZero() || to.IsZero() {
		return from, to, usageError("--since and --until must be given: the file has no times")
	}
	return from, to, nil
}

// row compares one row. Nil: the three sides agree.
func (r *reconciliation) row(ctx context.Context, row statement.Row) (*difference, error) {
	found := func(k differenceKind, detail string) (*difference, error) {
		d := ofRow(k, row)
		d.Detail = cmp.Or(detail, d.Detail)
		return &d, nil
	}
	if row.Fault != "" {
		return found(unreadableRow, "")
	}
	references, err := r.find(ctx, row)
	switch {
	case err != nil:
		return nil, err
	case len(references) > 1:
		return found(ambiguous, "it names "+strings.Join(references, " and "))
	case len(references) == 0 && !row.Paid:
		return nil, nil // no money moved
	case len(references) == 0:
		return found(notInLedger, "")
	}
	reference := references[0]
	story, err := r.ledger.Story(ctx, reference)
	if err != nil {
		return nil, err
	}
	switch {
	case row.Kind == statement.Refund && row.Paid:
		r.refunds[reference] += row.Amount.Minor
	case row.Paid && r.paid[reference] > 0:
		d := ofRow(paidTwice, row).beside(story)
		d.Detail = fmt.Sprintf("line %d has paid it already", r.paid[reference])
		return &d, nil
	case row.Paid:
		r.paid[reference] = row.Line
	case row.Kind == statement.Payment && r.paid[reference] > 0:
		return nil, nil
	case row.Kind == statement.Payment:
		r.failed[reference] = true
	}
	return compare(row, story, r.account, r.refunds[reference]), nil
}

// find returns the references of the provider's payments that a row names.
func (r *reconciliation) find(ctx context.Context, row statement.Row) (references []string, err error) {
	if payment.IsReference(row.Reference) {
		p, err := r.ledger.Payment(ctx, row.Reference)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
		case err != nil:
			return nil, err
		case p.Provider == r.provider:
			return []string{p.Reference}, nil
		}
	}
	for _, id := range []ledger.ID{{Provider: r.provider, ProviderID: row.ProviderID}, {Transaction: row.TransactionID}} {
		if id.ProviderID+id.Transaction == "" {
			continue
		}
		payments, err := r.ledger.FindPayments(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, p := range payments {
			if p.Provider == r.provider {
				references = append(references, p.Reference)
			}
		}
	}
	slices.Sort(references)
	return slices.Compact(references), nil
}

// missing lists the successful payments of the period that the file lacks.
func (r *reconciliation) missing(ctx context.Context) error {
	return r.ended(ctx, "", r.view.From, r.view.To, func(p ledger.Payment) error {
		switch {
		case p.Provider != r.provider, r.account != "" && p.AccountID() != r.account, p.Status != payment.Successful,
			r.paid[p.Reference] > 0, r.failed[p.Reference], p.EndedAt.Before(r.view.From), !p.EndedAt.Before(r.view.To):
			return nil
		}
		story, err := r.ledger.Story(ctx, p.Reference)
		if err != nil {
			return err
		}
		d := difference{Kind: notInFile}.beside(story)
		if p.CreatedAt.Before(r.view.From) {
			d.Detail = "it was made before the period: it may be in the file before"
		}
		if err := r.ask(ctx, &d, statement.Row{}); err != nil {
			return err
		}
		r.view.Differences = append(r.view.Differences, d)
		return nil
	})
}

// answer shows the result, the gravest differences first.
func (r *reconciliation) answer() error {
	v := &r.view
	slices.SortStableFunc(v.Differences, func(a, b difference) int {
		return cmp.Or(cmp.Compare(slices.Index(differenceKinds, a.Kind), slices.Index(differenceKinds, b.Kind)), cmp.Compare(a.Line, b.Line), a.EndedAt.Compare(b.EndedAt))
	})
	for _, d := range v.Differences {
		v.Counts[d.Kind]++
		if d.Corrected {
			v.Corrected++
		} else {
			v.Remaining++
		}
	}
	if err := r.session.answer(v, func(t *text) {
		t.line("%s in the file, %d agree. Searched in the ledger: ended from %s to %s UTC.", plural(v.Rows, "row"), v.Agree, short(v.From), short(v.To))
		if v.Ignored > 0 {
			t.line("%s left out, as the mapping says.", plural(v.Ignored, "row"))
		}
		rows := [][]string{{"DIFFERENCE", "LINE", "PAYMENT", "IN THE FILE", "IN THE LEDGER", "THE APP WAS TOLD", "DETAIL"}}
		for _, d := range v.Differences {
			rows = append(rows, d.cells())
		}
		if len(rows) > 1 || t.asCSV {
			t.table(rows...)
		}
	}); err != nil {
		return err
	}
	if v.Remaining > 0 {
		return fmt.Errorf("%s: %s left", plural(len(v.Differences), "difference"), wasLeft(v.Remaining))
	}
	return nil
}

func wasLeft(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

func (d difference) cells() []string {
	file, books, line := "", "", ""
	if d.Line > 0 {
		line, file = fmt.Sprint(d.Line), strings.TrimSpace(d.Amount+" "+d.Currency)
	}
	if d.Status != "" {
		books = d.Status + ", " + d.LedgerAmount
	}
	detail := d.Detail
	if d.Answer != "" {
		detail = strings.TrimPrefix(detail+"; asked: "+d.Answer, "; ")
	}
	if d.Corrected {
		detail += ", corrected"
	}
	told := d.Told
	if told == "" && d.Delivery != "" {
		told = "nothing, " + d.Delivery
	}
	return []string{string(d.Kind), orDash(line), cmp.Or(d.Reference, d.ProviderID, d.TransactionID, d.StatementID, "-"), orDash(file), orDash(books), orDash(told), orDash(detail)}
}
