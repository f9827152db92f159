package gateway_test

import (
	"errors"
	"testing"
	"time"

	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// What an app or an operator asks for, and how it is answered.
func TestRefundRequests(t *testing.T) {
	t.Parallel()
	w := newRefundWorld(t, 1)
	w.calm = true
	szl := func(minor int64) payment.Money { return payment.Money{Minor: minor, Currency: "SZL"} }
	order := gateway.RefundOrder{Reference: w.refs[0], ClientID: "cli", ID: "id-1", Kind: refund.ByRefund, Reason: "returned", Amount: szl(6_000), PerDay: szl(8_000)}
	with := func(change func(*gateway.RefundOrder)) gateway.RefundOrder {
		o := order
		change(&o)
		return o
	}
	_, first, err := w.g.Request(t.Context(), order)
	if err != nil || first.Status != refund.Pending {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, again, err := w.g.Request(t.Context(), order); err != nil || again.Refund != first.Refund {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	for name, c := range map[string]struct {
		o    gateway.RefundOrder
		want error
	}{
		"the same id, another amount": {with(func(o *gateway.RefundOrder) { o.Amount = szl(1) }), gateway.ErrRefundIDTaken},
		"another app's payment":       {with(func(o *gateway.RefundOrder) { o.ClientID = "cli_other" }), gateway.ErrForbidden},
		"no payment":                  {with(func(o *gateway.RefundOrder) { o.Reference = payment.ReferenceFor("a", "b") }), ledger.ErrNotFound},
		"a second one at a time":      {with(func(o *gateway.RefundOrder) { o.ID = "id-2" }), refund.ErrOpen},
		"not paid":                    {with(func(o *gateway.RefundOrder) { o.Reference = w.refs[2] }), refund.ErrNotPaid},
		"more than was paid":          {with(func(o *gateway.RefundOrder) { o.Reference, o.Amount = w.refs[1], szl(refundMoney+1) }), refund.ErrTooMuch},
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
	if _, _, err := w.g.Request(t.Context(), gateway.RefundOrder{Reference: w.refs[0], Operator: "thandi", ID: "id-1", Kind: refund.ByRefund, Reason: "paid twice"}); err != nil {
		t.Fatal(err)
	}
	w.g.Refunders[""] = w.g.Refunders["mtn"]
	delete(w.g.Refunders, "mtn")
	if _, err := w.g.Work(t.Context(), w.refs[0], "id-1"); !errors.Is(err, gateway.ErrNoRefunder) {
		t.Errorf("without credentials: %v", err)
	}
	w.g.Refunders["mtn"] = w.g.Refunders[""]
	f, err := w.g.Work(t.Context(), w.refs[0], "id-1")
	if err != nil || f.Status != refund.Submitted && f.Status != refund.Unknown {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := w.bank.Forget(f.Reference); err != nil && f.Status == refund.Submitted {
		t.Fatal(err)
	}
	says := gateway.RefundSettlement{Status: refund.Failed, Operator: "thandi", Reason: "not in the portal"}
	if _, err := w.g.Settle(t.Context(), w.refs[0], "id-1", says); !errors.Is(err, refund.ErrUnderway) {
		t.Errorf("at once: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	if f, err = w.g.Work(t.Context(), w.refs[0], "id-1"); err != nil || f.Status != refund.Unknown {
		t.Fatalf("MTN does not know it: %+v, %v", f, err)
	}
	for range 2 { // said again, it changes nothing
		if f, err = w.g.Settle(t.Context(), w.refs[0], "id-1", says); err != nil || f.Status != refund.Failed || f.EndedBy != payment.FromOperator {
			t.Errorf("%+v, %v", f, err)
		}
	}
	says.Status = refund.Successful
	if _, err := w.g.Settle(t.Context(), w.refs[0], "id-1", says); !errors.Is(err, refund.ErrEnded) {
		t.Errorf("otherwise: %v", err)
	}
	trail, err := w.oracle.AuditTrail(t.Context(), w.refs[0])
	if err != nil || len(trail) < 4 {
		t.Errorf("%d audit records, %v", len(trail), err)
	}
}
