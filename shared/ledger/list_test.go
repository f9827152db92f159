package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/table"
)

func numbered(i int) string { return fmt.Sprintf("33333333-3333-4333-8333-%012d", i) }

// fill stores n payments of a client, a second apart; payment i has order
// ORDER-<i>. It returns their references, newest first.
func (b *books) fill(t *testing.T, clientID string, first, n int) []string {
	t.Helper()
	var references []string
	for i := first; i < first+n; i++ {
		p := newPayment(numbered(i))
		p.ClientID, p.ExternalID = clientID, fmt.Sprint("ORDER-", i)
		p.CreatedAt = start.Add(time.Duration(i) * time.Second)
		p.UpdatedAt = p.CreatedAt
		b.create(t, p)
		references = append(references, p.Reference)
	}
	slices.Reverse(references)
	return references
}

// walk lists all pages; no page may be longer than limit.
func (b *books) walk(t *testing.T, clientID string, f ledger.PaymentFilter, limit int) (references []string, pages int) {
	t.Helper()
	cursor := ""
	for pages < 200 {
		page, err := b.ListPayments(t.Context(), clientID, f, ledger.Paging{Limit: limit, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > limit {
			t.Errorf("page of %d, limit %d", len(page.Items), limit)
		}
		for _, p := range page.Items {
			references = append(references, p.Reference)
		}
		pages++
		if cursor = page.Next; page.Next == "" {
			return references, pages
		}
	}
	t.Fatal("the list does not end")
	return nil, 0
}

func TestListPaymentsPages(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	want := b.fill(t, client, 0, 25)
	b.fill(t, "cli_other", 100, 3)
	for limit, pages := range map[int]int{1: 25, 7: 4, 25: 1, 100: 1} {
		got, n := b.walk(t, client, ledger.PaymentFilter{}, limit)
		if diff := cmp.Diff(want, got); diff != "" || n != pages {
			t.Errorf("limit %d: %d pages, want %d (-want +got):\n%s", limit, n, pages, diff)
		}
	}
	if got, _ := b.walk(t, "cli_nobody", ledger.PaymentFilter{}, 10); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

func TestListPaymentsFilters(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	all := b.fill(t, client, 0, 20)
	var failed []string
	for i := 0; i < 20; i += 3 { // payments 0, 3, 6 ... fail
		p, err := b.Payment(t.Context(), numbered(i))
		if err != nil {
			t.Fatal(err)
		}
		e := evidence(payment.SaysFailed, time.Minute)
		b.apply(t, p, e)
		failed = append([]string{p.Reference}, failed...)
	}
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	for name, c := range map[string]struct {
		filter ledger.PaymentFilter
		want   []string
	}{
		"status":              {ledger.PaymentFilter{Statuses: []payment.Status{payment.Failed}}, failed},
		"two statuses":        {ledger.PaymentFilter{Statuses: []payment.Status{payment.Failed, payment.Pending}}, all},
		"no such status":      {ledger.PaymentFilter{Statuses: []payment.Status{payment.Cancelled}}, nil},
		"from":                {ledger.PaymentFilter{From: at(17)}, all[:3]},
		"to is left out":      {ledger.PaymentFilter{To: at(2)}, all[18:]},
		"from and to":         {ledger.PaymentFilter{From: at(5), To: at(7)}, all[13:15]},
		"upside down":         {ledger.PaymentFilter{From: at(7), To: at(5)}, nil},
		"status and time":     {ledger.PaymentFilter{Statuses: []payment.Status{payment.Failed}, To: at(4)}, failed[5:]},
		"external id, live":   {ledger.PaymentFilter{ExternalID: "ORDER-4"}, []string{numbered(4)}},
		"external id, ended":  {ledger.PaymentFilter{ExternalID: "ORDER-3"}, []string{numbered(3)}},
		"external id, status": {ledger.PaymentFilter{ExternalID: "ORDER-4", Statuses: []payment.Status{payment.Failed}}, nil},
		"external id, time":   {ledger.PaymentFilter{ExternalID: "ORDER-4", From: at(5)}, nil},
		"external id, nobody": {ledger.PaymentFilter{ExternalID: "ORDER-99"}, nil},
	} {
		for _, limit := range []int{1, 4, 100} {
			got, _ := b.walk(t, client, c.filter, limit)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, limit %d (-want +got):\n%s", name, limit, diff)
			}
		}
	}
}

// An order that failed and was tried again: the live payment comes first,
// then those before it, each once, whatever the pages.
func TestListPaymentsOfOneOrder(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	var want []string
	for i := range 5 {
		p := newPayment(numbered(i))
		p.CreatedAt = start.Add(time.Duration(i) * time.Second)
		stored := b.create(t, p)
		if i < 4 {
			b.apply(t, stored, evidence(payment.SaysFailed, time.Minute))
		}
		want = append([]string{p.Reference}, want...)
	}
	b.fill(t, client, 100, 30) // newer ones of other orders
	for _, limit := range []int{1, 2, 100} {
		got, _ := b.walk(t, client, ledger.PaymentFilter{ExternalID: order}, limit)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	page, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{ExternalID: order}, ledger.Paging{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Reference != numbered(4) {
		t.Errorf("first page: %v, %v", page.Items, err)
	}
}

// counted counts what is read.
type counted struct {
	table.Table
	gets, calls atomic.Int64
}

func (c *counted) Get(ctx context.Context, k table.Key) (table.Record, error) {
	c.gets.Add(1)
	return c.Table.Get(ctx, k)
}

func (c *counted) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	c.gets.Add(int64(len(keys)))
	c.calls.Add(1)
	return c.Table.GetMany(ctx, keys...)
}

// A filter that nothing passes reads a bounded number of payments a call, and
// still comes to the end.
func TestListPaymentsReadsAreBounded(t *testing.T) {
	t.Parallel()
	wire := &counted{}
	b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
	b.fill(t, client, 0, 1100)
	f := ledger.PaymentFilter{Statuses: []payment.Status{payment.Cancelled}}
	wire.gets.Store(0)
	page, err := b.ListPayments(t.Context(), client, f, ledger.Paging{Limit: 10})
	if err != nil || len(page.Items) != 0 || page.Next == "" {
		t.Fatalf("%d payments, next %q, %v", len(page.Items), page.Next, err)
	}
	if n := wire.gets.Load(); n > 500 {
		t.Errorf("%d reads in one call", n)
	}
	if got, pages := b.walk(t, client, f, 10); len(got) != 0 || pages != 3 {
		t.Errorf("%d payments in %d pages", len(got), pages)
	}
	wire.gets.Store(0)
	wire.calls.Store(0)
	_, err = b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{Limit: 10})
	if gets, calls := wire.gets.Load(), wire.calls.Load(); err != nil || gets != 10 || calls != 1 {
		t.Errorf("%d reads in %d calls for 10 payments, %v", gets, calls, err)
	}
}

// A cursor of another list, or one made up, opens nothing.
func TestListPaymentsCursors(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	b.fill(t, client, 0, 5)
	b.fill(t, "cli_other", 100, 5)
	mine, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{Limit: 2})
	if err != nil || mine.Next == "" {
		t.Fatal(err)
	}
	theirs, err := b.ListPayments(t.Context(), "cli_other", ledger.PaymentFilter{}, ledger.Paging{Limit: 2})
	if err != nil || theirs.Next == "" {
		t.Fatal(err)
	}
	for name, cursor := range map[string]string{"another client's": theirs.Next, "cut": mine.Next[:len(mine.Next)-3], "no base64": "?", "letters": "abcd", "a reference": refA} {
		page, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{Limit: 2, Cursor: cursor})
		if !errors.Is(err, ledger.ErrCursor) || page.Items != nil || page.Next != "" {
			t.Errorf("%s: %d payments, %q, %v", name, len(page.Items), page.Next, err)
		}
	}
	if _, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{From: start.Add(time.Second)}, ledger.Paging{Limit: 2, Cursor: mine.Next}); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("with other bounds: %v", err)
	}
}

// What an app wrote into a payment is listed too where it is apart from the
// payment: a page reads all of it in one call more. An open payment that lacks
// it is an error.
func TestListPaymentsWithRequestsApart(t *testing.T) {
	t.Parallel()
	wire := &counted{}
	b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
	var want []ledger.Payment
	for i := range 6 {
		p := newPayment(numbered(i))
		p.ExternalID, p.CreatedAt = fmt.Sprint("ORDER-", i), start.Add(time.Duration(i)*time.Second)
		p.PayeeNote, p.Metadata = fmt.Sprint("note ", i), map[string]string{"i": fmt.Sprint(i)}
		if i%2 == 0 {
			p.PayerMessage = strings.Repeat(fmt.Sprint(i), 300) // apart
		}
		want = append(want, b.create(t, p))
	}
	slices.Reverse(want)
	page, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{})
	if err != nil || wire.calls.Load() != 2 || wire.gets.Load() != 6+3 {
		t.Errorf("%d keys in %d calls, %v", wire.gets.Load(), wire.calls.Load(), err)
	}
	same(t, "payments", want, page.Items)
	if err := b.memory.Write(t.Context(), table.Delete(table.Key{Space: table.Main, Partition: "payment#" + numbered(2), Sort: "request"}, 1)); err != nil {
		t.Fatal(err)
	}
	if page, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{}); !errors.Is(err, table.ErrNotFound) || page.Items != nil {
		t.Errorf("without the request of an open one: %d payments, %v", len(page.Items), err)
	}
}

// A fault while the page is read is an error, never a shorter page.
func TestListPaymentsFault(t *testing.T) {
	t.Parallel()
	wire := &faulty{}
	b := newBooks(t, func(inner table.Table) table.Table { wire.Table = inner; return wire })
	b.fill(t, client, 0, 20)
	wire.key = numbered(7)
	if page, err := b.ListPayments(t.Context(), client, ledger.PaymentFilter{}, ledger.Paging{Limit: 20}); !errors.Is(err, table.ErrUnavailable) || page.Items != nil {
		t.Errorf("%d payments, %v", len(page.Items), err)
	}
}

// faulty fails to read one payment.
type faulty struct {
	table.Table
	key string
}

func (f *faulty) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if f.key != "" && k.Partition == "payment#"+f.key {
		return table.Record{}, table.ErrUnavailable
	}
	return f.Table.Get(ctx, k)
}

func (f *faulty) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	for _, k := range keys {
		if f.key != "" && k.Partition == "payment#"+f.key {
			return nil, table.ErrUnavailable
		}
	}
	return f.Table.GetMany(ctx, keys...)
}

func TestListClients(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	var want []string
	for i := range 7 {
		c := ledger.Client{ID: fmt.Sprint("cli_", 9-i), Name: fmt.Sprint("Shop ", i), APIKey: fmt.Sprint("key-", i), CreatedAt: start.Add(time.Duration(i) * time.Minute)}
		if _, err := b.CreateClient(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		want = append(want, c.ID)
	}
	b.fill(t, "cli_9", 0, 3)
	for _, limit := range []int{1, 3, 100} {
		var got []string
		cursor := ""
		for range 20 {
			page, err := b.ListClientIDs(t.Context(), ledger.Paging{Limit: limit, Cursor: cursor})
			if err != nil || len(page.Items) > limit {
				t.Fatal(len(page.Items), err)
			}
			got = append(got, page.Items...)
			if cursor = page.Next; page.Next == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if _, err := b.ListClientIDs(t.Context(), ledger.Paging{Limit: 2, Cursor: "x"}); !errors.Is(err, ledger.ErrCursor) {
		t.Error(err)
	}
}
