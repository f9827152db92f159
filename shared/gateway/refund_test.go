package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/refund"
	"momoproxy/shared/table"
)

const refundID = "a0000000-0000-4000-8000-000000000001"

// What an app or an operator asks for, and how it is answered.
func TestRefundRequests(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	szl := func(minor int64) payment.Money { return payment.Money{Minor: minor, Currency: "SZL"} }
	order := gateway.RefundOrder{Reference: w.refs[0], ClientID: "cli", ID: refundID, Kind: refund.ByRefund, Reason: "returned", Amount: szl(6_000), PerDay: szl(8_000)}
	with := func(change func(*gateway.RefundOrder)) gateway.RefundOrder {
		o := order
		change(&o)
		return o
	}
	_, first, err := w.g.Request(t.Context(), order)
	if err != nil || first.Status != refund.Pending {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, o := range []gateway.RefundOrder{order, with(func(o *gateway.RefundOrder) { o.ID = strings.ToUpper(o.ID) })} {
		if _, again, err := w.g.Request(t.Context(), o); err != nil || again.Refund != first.Refund {
			t.Errorf("repeated: %+v, %v", again, err)
		}
		if f, err := w.oracle.Refund(t.Context(), o.Reference, o.ID); err != nil || f.ID != refundID {
			t.Errorf("read: %+v, %v", f, err)
		}
	}
	for name, c := range map[string]struct {
		o    gateway.RefundOrder
		want error
	}{
		"the same id, another amount": {with(func(o *gateway.RefundOrder) { o.Amount = szl(1) }), gateway.ErrRefundIDTaken},
		"another app's payment":       {with(func(o *gateway.RefundOrder) { o.ClientID = "cli_other" }), gateway.ErrForbidden},
		"no payment":                  {with(func(o *gateway.RefundOrder) { o.Reference = payment.ReferenceFor("a", "b") }), ledger.ErrNotFound},
		"a second one at a time":      {with(func(o *gateway.RefundOrder) { o.ID = uuid.NewString() }), refund.ErrOpen},
		"not paid":                    {with(func(o *gateway.RefundOrder) { o.Reference = w.refs[2] }), refund.ErrNotPaid},
		"more than was paid":          {with(func(o *gateway.RefundOrder) { o.Reference, o.Amount = w.refs[1], szl(refundMoney+1) }), refund.ErrTooMuch},
		"no id":                       {with(func(o *gateway.RefundOrder) { o.ID = "" }), gateway.ErrRefundID},
		"an id that is no UUID":       {with(func(o *gateway.RefundOrder) { o.ID = "id-2" }), gateway.ErrRefundID},
		"an app's transfer":           {with(func(o *gateway.RefundOrder) { o.Reference, o.Kind = w.refs[1], refund.ByTransfer }), gateway.ErrRefundKind},
		"an app's record":             {with(func(o *gateway.RefundOrder) { o.Reference, o.Kind = w.refs[1], refund.ByHand }), gateway.ErrRefundKind},
		"an app without a bound":      {with(func(o *gateway.RefundOrder) { o.Reference, o.PerDay = w.refs[1], payment.Money{} }), ledger.ErrRefundsPerDay},
		"more than a day's":           {with(func(o *gateway.RefundOrder) { o.Reference = w.refs[1] }), ledger.ErrRefundsPerDay},
	} {
		if _, _, err := w.g.Request(t.Context(), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A refund that only an operator can end, and when.
func TestSettleRefund(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	if _, _, err := w.g.Request(t.Context(), gateway.RefundOrder{Reference: w.refs[0], Operator: "thandi", ID: refundID, Kind: refund.ByRefund, Reason: "paid twice"}); err != nil {
		t.Fatal(err)
	}
	w.g.Refunders[""] = w.g.Refunders["mtn"]
	delete(w.g.Refunders, "mtn")
	if _, err := w.g.Work(t.Context(), w.refs[0], refundID); !errors.Is(err, gateway.ErrNoRefunder) {
		t.Errorf("without credentials: %v", err)
	}
	w.g.Refunders["mtn"] = w.g.Refunders[""]
	f, err := w.g.Work(t.Context(), w.refs[0], refundID)
	if err != nil || f.Status != refund.Submitted && f.Status != refund.Unknown {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := w.bank.Forget(f.Reference); err != nil && f.Status == refund.Submitted {
		t.Fatal(err)
	}
	says := gateway.RefundSettlement{Status: refund.Failed, Operator: "thandi", Reason: "not in the portal"}
	if _, err := w.g.Settle(t.Context(), w.refs[0], refundID, says); !errors.Is(err, refund.ErrUnderway) {
		t.Errorf("at once: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	if f, err = w.g.Work(t.Context(), w.refs[0], refundID); err != nil || f.Status != refund.Unknown {
		t.Fatalf("MTN does not know it: %+v, %v", f, err)
	}
	for range 2 { // said again, it changes nothing
		if f, err = w.g.Settle(t.Context(), w.refs[0], refundID, says); err != nil || f.Status != refund.Failed || f.EndedBy != payment.FromOperator {
			t.Errorf("%+v, %v", f, err)
		}
	}
	says.Status = refund.Successful
	if _, err := w.g.Settle(t.Context(), w.refs[0], refundID, says); !errors.Is(err, refund.ErrEnded) {
		t.Errorf("otherwise: %v", err)
	}
	trail, err := w.oracle.AuditTrail(t.Context(), w.refs[0])
	if err != nil || len(trail) < 4 {
		t.Errorf("%d audit records, %v", len(trail), err)
	}
}

// Neither refunds without a refunder nor one that cannot be read keep the others
// waiting, however many they are.
func TestRefundsDoNotStarveOthers(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	ctx := t.Context()
	request := func(reference string) {
		t.Helper()
		_, _, err := w.g.Request(ctx, gateway.RefundOrder{Reference: reference, Operator: "thandi", ID: refundID, Kind: refund.ByRefund, Reason: "returned"})
		if err != nil {
			t.Fatal(err)
		}
	}
	request(w.refs[1])
	page, err := w.stored.Query(ctx, table.Query{Space: table.Main, Partition: "payment#" + w.refs[1], From: "refund#", To: "refund#~"})
	if err != nil || len(page.Records) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	broken := page.Records[0]
	broken.Attributes = map[string]any{"status": "PENDING"}
	if err := w.stored.Write(ctx, table.Put(broken)); err != nil {
		t.Fatal(err)
	}
	for i := range 200 { // a page of them
		ref := payment.ReferenceFor("cli", fmt.Sprint("without refunder ", i))
		p, err := w.oracle.Create(ctx, ledger.Payment{Payment: payment.Payment{
			Reference: ref, ClientID: "cli", ExternalID: fmt.Sprint("without refunder ", i), Provider: mtn.Name, Account: "mtn-other", Payer: "26876123456",
			Amount: payment.Money{Minor: refundMoney, Currency: "SZL"}, Status: payment.Pending, CreatedAt: w.now, UpdatedAt: w.now,
		}})
		if err == nil {
			d := payment.Decide(p.Payment, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, At: w.now}, mtn.Registration.Known.Methods[0].Policy)
			_, _, err = w.oracle.Apply(ctx, ledger.Change{Before: p, Decision: d})
		}
		if err != nil {
			t.Fatal(err)
		}
		request(ref)
	}
	w.now = w.now.Add(time.Second)
	request(w.refs[0])
	if err := w.g.Reconcile(ctx); err != nil {
		t.Fatal(err)
	}
	if f, err := w.oracle.Refund(ctx, w.refs[0], refundID); err != nil || f.Status != refund.Submitted {
		t.Errorf("the last one: %+v, %v", f, err)
	}
	due, err := w.oracle.DueRefunds(ctx, w.now.Add(time.Millisecond), ledger.Paging{})
	if err != nil || len(due.Items) != 1 || due.Items[0].Reference != w.refs[1] {
		t.Errorf("%d are still due, %v", len(due.Items), err)
	}
}

// tokenless is a Disbursement account that has no token.
type tokenless struct{ provider.Refunder }

func (tokenless) Ready(context.Context) error { return provider.ErrUnavailable }

func (tokenless) Refund(context.Context, payment.Payment, refund.Refund) provider.Answer {
	return provider.Answer{Evidence: payment.Evidence{Verdict: payment.SaysNothing, Reason: "no token"}}
}

// euros is a Disbursement account of another currency.
type euros struct{ provider.Refunder }

func (euros) Capabilities() provider.Capabilities { return provider.Capabilities{Currency: "EUR"} }

// The refunds function knows no account that collects. An account of another
// currency is not asked, by an app's request or by the schedule.
func TestRefundOfAnotherCurrency(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	order := gateway.RefundOrder{Reference: w.refs[0], ClientID: "cli", ID: refundID, Kind: refund.ByRefund, PerDay: payment.Money{Minor: refundMoney, Currency: "SZL"}}
	if _, _, err := w.g.Request(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	w.g.Refunders[mtn.Name] = euros{w.g.Refunders[mtn.Name]}
	if f, err := w.g.Work(t.Context(), w.refs[0], refundID); !errors.Is(err, gateway.ErrNoRefunder) || f.Status != refund.Pending {
		t.Errorf("worked on: %+v, %v", f, err)
	}
	order.Reference = w.refs[1]
	if _, _, err := w.g.Request(t.Context(), order); !errors.Is(err, gateway.ErrNoRefunder) {
		t.Errorf("requested: %v", err)
	}
}

// A refund that cannot leave fails after a day, with its event and a record of
// why in the same write.
func TestRefundThatCannotLeave(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	if _, _, err := w.g.Request(t.Context(), gateway.RefundOrder{Reference: w.refs[0], Operator: "thandi", ID: refundID, Kind: refund.ByRefund}); err != nil {
		t.Fatal(err)
	}
	w.g.Refunders[mtn.Name] = tokenless{w.g.Refunders[mtn.Name]}
	w.now = w.now.Add(time.Second) // its records come after the request's
	for _, want := range []refund.Status{refund.Pending, refund.Failed} {
		f, err := w.g.Work(t.Context(), w.refs[0], refundID)
		if err != nil || f.Status != want {
			t.Errorf("%+v, %v, want %s", f, err, want)
		}
		trail, err := w.oracle.AuditTrail(t.Context(), w.refs[0])
		if err != nil || len(trail) == 0 || trail[len(trail)-1].Note != "not asked: no token" || !trail[len(trail)-1].At.Equal(w.now) {
			t.Errorf("the trail of one that is %s ends with %+v, %v", want, trail, err)
		}
		w.now = w.now.Add(refund.SendWithin)
	}
}
