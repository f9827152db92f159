package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

func sameRefund(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ledger.Refund{}, ledger.Payment{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// paid is a payment of 150.00 that has succeeded.
func paid(t *testing.T, b *books) ledger.Payment {
	p, _ := b.apply(t, b.create(t, newPayment(refA)), evidence(payment.SaysSuccessful, time.Minute))
	return p
}

func refundOf(p ledger.Payment, id string, minor int64) ledger.RefundRequest {
	return ledger.RefundRequest{
		Payment: p, RequestHash: "hash of " + id, PerDay: payment.Money{Minor: 1_000_000, Currency: "SZL"},
		Ask:   refund.Ask{ID: id, Amount: payment.Money{Minor: minor, Currency: "SZL"}, Kind: refund.ByRefund, Reason: "returned", At: start.Add(time.Hour)},
		Audit: ledger.AuditRecord{At: start.Add(time.Hour), Direction: ledger.InboundFromApp, Reference: refA, ClientID: client, Method: "POST"},
	}
}

func request(t *testing.T, b *books, q ledger.RefundRequest) (ledger.Payment, ledger.Refund) {
	t.Helper()
	p, f, _, err := b.RequestRefund(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

// says is what a provider's status says of a refund that was sent.
func says(p ledger.Payment, f ledger.Refund, v payment.Verdict) ledger.RefundChange {
	at := start.Add(2 * time.Hour)
	return ledger.RefundChange{
		Payment: p, Refund: f,
		Decision: refund.Decide(p.Payment, f.Refund, payment.Evidence{Source: payment.FromStatus, Verdict: v, Code: "WORD", FinancialTransactionID: "R-1", At: at}),
		Audit:    []ledger.AuditRecord{{At: at, Direction: ledger.OutboundToProvider, Reference: refA, ClientID: client, Method: "GET"}},
	}
}

func claim(t *testing.T, b *books, f ledger.Refund) ledger.Refund {
	t.Helper()
	sent, ok := refund.Claim(f.Refund, start.Add(time.Hour))
	if !ok {
		t.Fatalf("%+v cannot be sent", f)
	}
	f, err := b.ClaimRefund(t.Context(), f, sent)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRefundComesBackWhole(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	large := newPayment(refA)
	large.PayerMessage = strings.Repeat("m", 400) // stored apart, behind the refunds
	p, _ := b.apply(t, b.create(t, large), evidence(payment.SaysSuccessful, time.Minute))
	p, f := request(t, b, refundOf(p, "ID-1", 5_000))
	full := f.Refund
	full.Status, full.Held, full.FinancialTransactionID, full.Code, full.Sends, full.AskedAt, full.Accepted = refund.Unknown, true, "R", "CODE", 2, start, true
	full.Checks, full.Operator, full.UpdatedAt, full.EndedAt, full.EndedBy, full.NextCheckAt = 3, "thandi", start, start, payment.FromStatus, start
	f, err := b.ClaimRefund(t.Context(), f, full)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Refund(t.Context(), refA, "id-1")
	if err != nil {
		t.Fatal(err)
	}
	sameRefund(t, "refund", f, got)
	all, err := b.Refunds(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	sameRefund(t, "refunds", []ledger.Refund{f}, all)
	story, err := b.Story(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	sameRefund(t, "story's", []ledger.Refund{f}, story.Refunds)
	sameRefund(t, "story's payment", p, story.Payment)
	for _, id := range []string{"", "id-2", "id-"} {
		if _, err := b.Refund(t.Context(), refA, id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	inbox, err := b.Inbox(t.Context(), ledger.InboxQuery{Kind: ledger.AttentionRefund}, ledger.Paging{})
	if err != nil || len(inbox.Items) != 1 || inbox.Items[0].RefundID != "id-1" || inbox.Items[0].Reference != refA {
		t.Errorf("inbox %+v, %v", inbox, err)
	}
	backlog, err := b.Backlog(t.Context(), start.Add(3*time.Hour))
	if err != nil || backlog.UnknownRefunds != 1 || backlog.OldestUnknownRefund != 2*time.Hour {
		t.Errorf("backlog %+v, %v", backlog, err)
	}
	due, err := b.DueRefunds(t.Context(), start.Add(time.Millisecond), ledger.Paging{})
	if err != nil || len(due.Items) != 1 || due.Items[0] != (ledger.DueRefund{Reference: refA, ID: "id-1", At: start}) {
		t.Errorf("due %+v, %v", due, err)
	}
	if due, err := b.DueRefunds(t.Context(), start, ledger.Paging{}); err != nil || len(due.Items) != 0 {
		t.Errorf("due too early %+v, %v", due, err)
	}
}

func TestRefundsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	open := b.create(t, newPayment(refA))
	refused := func(what string, q ledger.RefundRequest, want error) {
		t.Helper()
		before := b.state()
		if _, _, _, err := b.RequestRefund(t.Context(), q); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if diff := cmp.Diff(before, b.state()); diff != "" {
			t.Errorf("%s wrote %s", what, diff)
		}
	}
	refused("an open payment", refundOf(open, "id-1", 1), refund.ErrNotPaid)
	lying := open
	lying.Status = payment.Successful // who read another state
	p, _ := b.apply(t, open, evidence(payment.SaysSuccessful, time.Minute))
	refused("a payment that was read before", refundOf(lying, "id-1", 1), ledger.ErrStale)
	refused("no id", refundOf(p, "", 1), refund.ErrNoID)
	unbounded := refundOf(p, "id-1", 1)
	unbounded.PerDay = payment.Money{}
	refused("an app without a bound", unbounded, ledger.ErrRefundsPerDay)
	refused("too much", refundOf(p, "id-1", 15_001), refund.ErrTooMuch)
	q := refundOf(p, "id-1", 5_000)
	q.PerDay = payment.Money{Minor: 4_999, Currency: "SZL"}
	refused("more than a day's", q, ledger.ErrRefundsPerDay)
	q.PerDay = payment.Money{Minor: 5_000, Currency: "EUR"}
	refused("another currency's", q, ledger.ErrRefundsPerDay)
	q.PerDay = payment.Money{Minor: 8_000, Currency: "SZL"}
	p, f := request(t, b, q)
	refused("one is open", refundOf(p, "id-2", 1), refund.ErrOpen)
	var exists *ledger.RefundExistsError
	if _, _, _, err := b.RequestRefund(t.Context(), refundOf(p, "id-1", 1)); !errors.As(err, &exists) {
		t.Fatalf("the same id: %v", err)
	}
	sameRefund(t, "the stored one", f, exists.Refund)
	f = claim(t, b, f)
	p, _, _, err := b.ApplyRefund(t.Context(), says(p, f, payment.SaysFailed))
	if err != nil {
		t.Fatal(err)
	}
	q = refundOf(p, "id-2", 3_001) // what failed is of the day all the same
	q.PerDay = payment.Money{Minor: 8_000, Currency: "SZL"}
	refused("more than is left of the day", q, ledger.ErrRefundsPerDay)
	q.Ask.At = q.Ask.At.Add(24 * time.Hour)
	request(t, b, q)
}

// Many ask at the same time, each again until it gets a reason why not: what is
// refunded never exceeds what was paid.
func TestRefundRace(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	paid(t, b)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for {
				p, err := b.Payment(t.Context(), refA)
				if err != nil {
					t.Error(err)
					return
				}
				_, f, _, err := b.RequestRefund(t.Context(), refundOf(p, fmt.Sprint("id-", i), 4_000))
				switch {
				case errors.Is(err, ledger.ErrStale), errors.Is(err, refund.ErrOpen):
					continue
				case errors.Is(err, refund.ErrTooMuch):
					return
				case err != nil:
					t.Error(err)
					return
				}
				f = claim(t, b, f)
				p, err = b.Payment(t.Context(), refA)
				if err == nil {
					_, _, _, err = b.ApplyRefund(t.Context(), says(p, f, payment.SaysSuccessful))
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	wg.Wait()
	story, err := b.Story(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	if p := story.Payment; len(story.Refunds) != 3 || p.Refunds != (payment.Refunds{Reserved: 12_000, Count: 3}) || p.Sequence != 4 || len(story.Deliveries) != 4 {
		t.Errorf("%d refunds, %+v, %d events, %d deliveries", len(story.Refunds), p.Refunds, p.Sequence, len(story.Deliveries))
	}
	for i, d := range story.Deliveries {
		if d.Sequence != i+1 || i > 0 && d.Event != payment.EventRefundSuccessful {
			t.Errorf("event %d is %s", d.Sequence, d.Event)
		}
	}
}

// One of many that take a refund to be sent gets it.
func TestRefundIsClaimedOnce(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	_, f := request(t, b, refundOf(paid(t, b), "id-1", 1))
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := 0
	for range 16 {
		wg.Go(func() {
			read, err := b.Refund(t.Context(), refA, "id-1")
			if err != nil {
				t.Error(err)
				return
			}
			sent, ok := refund.Claim(read.Refund, start)
			if !ok {
				return
			}
			if _, err := b.ClaimRefund(t.Context(), read, sent); err == nil {
				mu.Lock()
				got++
				mu.Unlock()
			} else if !errors.Is(err, ledger.ErrStale) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got != 1 || f.Sends != 0 {
		t.Errorf("%d got it", got)
	}
}

// What a person did by hand is booked with its event in one write.
func TestRefundByHand(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	q := refundOf(paid(t, b), "id-1", 15_000)
	q.Ask.Kind, q.Ask.Operator, q.PerDay = refund.ByHand, "thandi", payment.Money{}
	p, f, made, err := b.RequestRefund(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if f.Status != refund.Successful || f.EndedBy != payment.FromOperator || !f.NextCheckAt.IsZero() || p.Refunds != (payment.Refunds{Reserved: 15_000, Count: 1}) {
		t.Errorf("%+v %+v", f, p.Refunds)
	}
	if len(made) != 1 || made[0].Event != payment.EventRefundSuccessful || made[0].State != delivery.Waiting || made[0].Sequence != 2 {
		t.Errorf("%+v", made)
	}
	stored, err := b.Payment(t.Context(), refA)
	if err != nil {
		t.Fatal(err)
	}
	sameRefund(t, "payment", stored, p)
}

// A payment whose refund is open still needs its payer's number.
func TestOpenRefundKeepsThePayer(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p, f := request(t, b, refundOf(paid(t, b), "id-1", 1))
	if err := b.ForgetPayer(t.Context(), refA, ledger.AuditRecord{At: start, Reference: refA}); !errors.Is(err, ledger.ErrNotForgotten) {
		t.Errorf("%v", err)
	}
	if _, _, _, err := b.ApplyRefund(t.Context(), says(p, claim(t, b, f), payment.SaysSuccessful)); err != nil {
		t.Fatal(err)
	}
	if err := b.ForgetPayer(t.Context(), refA, ledger.AuditRecord{At: start, Reference: refA}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.records() {
		if text := fmt.Sprint(r.Attributes); strings.Contains(text, "26876123456") {
			t.Errorf("%s still has the number: %s", r.Key, text)
		}
	}
}

// A payment that has as many refunds as it may still fits into one write.
func TestManyRefundsAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	p := paid(t, b)
	for i := range refund.MaxRefunds {
		q := refundOf(p, fmt.Sprint("id-", i), 1)
		q.Ask.Kind, q.Ask.Operator = refund.ByHand, "thandi"
		p, _ = request(t, b, q)
	}
	if err := b.ForgetPayer(t.Context(), refA, ledger.AuditRecord{At: start, Reference: refA}); err != nil {
		t.Error(err)
	}
}

func TestRefundsPerDayOfAClient(t *testing.T) {
	t.Parallel()
	b := newBooks(t, nil)
	c := newClient(t, b)
	if c.RefundsPerDay != nil {
		t.Errorf("a new client may refund %v", c.RefundsPerDay)
	}
	want := []payment.Money{{Minor: 500_000, Currency: "SZL"}, {Minor: 10, Currency: "UGX"}}
	if err := b.ChangeClient(t.Context(), c, ledger.ClientChange{RefundsPerDay: &want}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Client(t.Context(), c.ID)
	if err != nil || !cmp.Equal(got.RefundsPerDay, want) {
		t.Fatalf("%v, %v", got.RefundsPerDay, err)
	}
	if err := b.ChangeClient(t.Context(), got, ledger.ClientChange{RefundsPerDay: &[]payment.Money{}}); err != nil {
		t.Fatal(err)
	}
	if got, err = b.Client(t.Context(), c.ID); err != nil || got.RefundsPerDay != nil {
		t.Errorf("%v, %v", got.RefundsPerDay, err)
	}
	trail, err := b.memory.Query(t.Context(), table.Query{Space: table.Audit, Partition: "client#" + c.ID})
	told := false
	for _, r := range trail.Records {
		told = told || strings.Contains(fmt.Sprint(r.Attributes), "it may refund 5000.00 SZL, 10 UGX a day")
	}
	if err != nil || !told {
		t.Errorf("no audit record tells of it: %v", err)
	}
}

func aRefund(t *testing.T, b *books) any {
	p, f := request(t, b, refundOf(paid(t, b), "id-1", 5_000))
	return says(p, claim(t, b, f), payment.SaysNothing)
}

// refundSteps are walked by TestNothingIsHalfWritten.
var refundSteps = []step{
	{name: "request refund", set: func(t *testing.T, b *books) any { return paid(t, b) }, do: func(b *books, arg any) error {
		q := refundOf(arg.(ledger.Payment), "id-1", 5_000)
		q.PerDay = payment.Money{Minor: 8_000, Currency: "SZL"}
		_, _, _, err := b.RequestRefund(context.Background(), q)
		return err
	}},
	{name: "end refund", set: aRefund, do: endRefund(payment.SaysSuccessful)},
	{name: "fail refund", set: aRefund, do: endRefund(payment.SaysFailed)},
	{name: "claim refund", set: aRefund, do: func(b *books, arg any) error {
		f := arg.(ledger.RefundChange).Refund
		_, err := b.ClaimRefund(context.Background(), f, refund.Checked(f.Refund, start.Add(time.Hour)))
		return err
	}},
}

func endRefund(v payment.Verdict) func(*books, any) error {
	return func(b *books, arg any) error {
		c := arg.(ledger.RefundChange)
		_, _, _, err := b.ApplyRefund(context.Background(), says(c.Payment, c.Refund, v))
		return err
	}
}

// With a retention time a payment stays while a refund of it is open, and both go
// when the time has passed since the refund ended.
func TestRefundsAreRetained(t *testing.T) {
	t.Parallel()
	const retention = 90 * 24 * time.Hour
	b := newBooks(t, nil)
	b.Ledger = ledger.New(b.memory, ring(t), ledger.Options{Retention: retention, HashPayer: hashPayer, Now: func() time.Time { return start }})
	p, f := request(t, b, refundOf(paid(t, b), "id-1", 1))
	f = claim(t, b, f)
	b.memory.Purge(start.Add(10 * retention))
	stored, err := b.Refund(t.Context(), refA, "id-1")
	if err != nil {
		t.Fatal(err)
	}
	sameRefund(t, "the open refund", f, stored)
	if _, err := b.Payment(t.Context(), refA); err != nil {
		t.Fatalf("its payment: %v", err)
	}
	p, f, _, err = b.ApplyRefund(t.Context(), says(p, f, payment.SaysSuccessful))
	if err != nil {
		t.Fatal(err)
	}
	b.memory.Purge(f.EndedAt.Add(retention - time.Second))
	if read, err := b.Payment(t.Context(), refA); err != nil || read.Refunds != p.Refunds {
		t.Fatalf("before its time: %+v, %v", read.Refunds, err)
	}
	b.memory.Purge(f.EndedAt.Add(retention))
	page, err := b.memory.Query(t.Context(), table.Query{Space: table.Main, Partition: "payment#" + refA})
	if err != nil || len(page.Records) != 1 || page.Records[0].Sort != "used" {
		t.Errorf("left: %v, %v", page.Records, err)
	}
}
