package gateway_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/gateway"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/provider/mtn"
	"momoproxy/shared/table"
	"momoproxy/shared/table/tabletest"
)

// operator is the gateway as an operator's tool builds it: without the
// provider's account.
func operator(w *testbed.World) *gateway.Gateway {
	g := w.Gateway
	return &gateway.Gateway{
		Ledger: g.Ledger, Providers: testbed.Guarded(g, mtn.Registration.Offline()), Doorbell: g.Doorbell, PublicBaseURL: g.PublicBaseURL,
		CheckURL: g.CheckURL, Now: g.Now, Random: g.Random, Log: g.Log, Parallel: g.Parallel,
	}
}

// held leads a payment to where only an operator can end it.
func held(t *testing.T, w *testbed.World, order string) (reference string) {
	t.Helper()
	reference = accepted(t, w, order, "status_wrong_amount")
	w.Pass(time.Minute)
	time.Sleep(time.Second) // what comes now is later than all before it
	if p := w.Payment(reference); p.Phase != payment.PhaseHeld {
		t.Fatalf("it is %s %s", p.Status, p.Phase)
	}
	return reference
}

func TestSettle(t *testing.T) {
	for verdict, want := range map[payment.Verdict]struct {
		status payment.Status
		reason string
	}{
		payment.SaysSuccessful: {payment.Successful, ""},
		payment.SaysFailed:     {payment.Failed, "seen on the statement"},
		payment.SaysCancelled:  {payment.Cancelled, "seen on the statement"},
	} {
		t.Run(string(want.status), func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
				reference := held(t, w, "ORDER-1")
				s := gateway.Settlement{Verdict: verdict, Reason: "seen on the statement", Operator: "thandi"}
				if verdict == payment.SaysSuccessful {
					s.FinancialTransactionID = "4711"
				}
				p, err := operator(w).Settle(t.Context(), reference, s)
				if err != nil {
					t.Fatal(err)
				}
				if p.Status != want.status || p.EndedBy != payment.FromOperator || p.Reason != want.reason || p.FinancialTransactionID != s.FinancialTransactionID || !p.NextCheckAt.IsZero() {
					t.Errorf("%+v", p.Payment)
				}
				// Again: the same end, and nothing new.
				before := len(w.Trail(reference))
				if again, err := operator(w).Settle(t.Context(), reference, s); err != nil || again.Sequence != 1 {
					t.Errorf("again: sequence %d, %v", again.Sequence, err)
				}
				trail := w.Trail(reference)
				if len(trail) != before {
					t.Errorf("%d records, then %d", before, len(trail))
				}
				last := trail[len(trail)-1]
				if last.Method != gateway.OperatorMethod || last.Direction != ledger.InboundFromApp || last.ClientID != w.Shop.ID ||
					last.Note != "operator thandi: seen on the statement" || !strings.Contains(last.RequestBody, string(want.status)) {
					t.Errorf("audit record %+v", last)
				}
				w.Pass(10 * time.Second)
				got := w.App.About(reference)
				if len(got) != 1 {
					t.Fatalf("the app was called %d times", len(got))
				}
			})
		})
	}
}

func TestSettleNeverChangesAnEnding(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := accepted(t, w, "ORDER-1", mtnstand.ScriptSuccess)
		w.Pass(time.Minute)
		before := w.Payment(reference)
		records := len(w.Trail(reference))
		p, err := operator(w).Settle(t.Context(), reference, gateway.Settlement{Verdict: payment.SaysFailed, Reason: "no"})
		if !errors.Is(err, gateway.ErrEnded) || p.Status != payment.Successful {
			t.Errorf("%s, %v", p.Status, err)
		}
		if after := w.Payment(reference); after.UpdatedAt != before.UpdatedAt || len(w.Trail(reference)) != records {
			t.Errorf("it was written to")
		}
	})
}

// The provider ends the payment while the operator types.
func TestSettleOvertaken(t *testing.T) {
	var meanwhile atomic.Pointer[func()]
	faulty := func(inner table.Table) table.Table {
		return tabletest.Faulty(inner, func(op string, keys []table.Key) tabletest.Fault {
			if op == tabletest.OpWrite {
				if f := meanwhile.Swap(nil); f != nil {
					(*f)()
				}
			}
			return tabletest.Fault{}
		})
	}
	bubble(t, testbed.Options{Table: faulty}, func(t *testing.T, w *testbed.World) {
		reference := held(t, w, "ORDER-1")
		first := func() {
			s := gateway.Settlement{Verdict: payment.SaysSuccessful, Reason: "paid", Operator: "first"}
			if _, err := operator(w).Settle(context.Background(), reference, s); err != nil {
				t.Error(err)
			}
		}
		meanwhile.Store(&first)
		s := gateway.Settlement{Verdict: payment.SaysFailed, Reason: "not paid", Operator: "second"}
		if _, err := operator(w).Settle(t.Context(), reference, s); !errors.Is(err, gateway.ErrEnded) {
			t.Errorf("the slower operator: %v", err)
		}
		if p := w.Payment(reference); p.Status != payment.Successful || p.Sequence != 1 {
			t.Errorf("%s at sequence %d", p.Status, p.Sequence)
		}
	})
}

func TestSettleRefuses(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, w *testbed.World) {
		reference := held(t, w, "ORDER-1")
		for _, v := range []payment.Verdict{"", payment.SaysNothing, payment.SaysPending, payment.SaysNotFound, payment.SaysRefused} {
			if _, err := operator(w).Settle(t.Context(), reference, gateway.Settlement{Verdict: v, Reason: "x"}); err == nil {
				t.Errorf("%q was taken for an ending", v)
			}
		}
		if _, err := operator(w).Settle(t.Context(), "33333333-3333-4333-8333-333333333333",
			gateway.Settlement{Verdict: payment.SaysFailed}); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
		awaited := accepted(t, w, "ORDER-2", mtnstand.ScriptPending)
		off := gateway.Settlement{Verdict: payment.SaysFailed, Reason: "called off"}
		if _, err := operator(w).Settle(t.Context(), awaited, off); !errors.Is(err, gateway.ErrPayable) || w.Status(awaited).Ended() {
			t.Errorf("the payer can still pay it: %v, it is %s", err, w.Status(awaited))
		}
		off.AlthoughPayable = true
		if _, err := operator(w).Settle(t.Context(), awaited, off); err != nil || w.Status(awaited) != payment.Failed {
			t.Errorf("although: %v, it is %s", err, w.Status(awaited))
		}
		if p := w.Payment(reference); p.Phase != payment.PhaseHeld {
			t.Errorf("it is %s %s", p.Status, p.Phase)
		}
	})
}

func TestMayDouble(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		status payment.Status
		phase  payment.Phase
		until  time.Time
		want   bool
	}{
		"awaited, no end":   {payment.Pending, payment.PhaseAwaitingPayer, time.Time{}, true},
		"awaited, in time":  {payment.Pending, payment.PhaseAwaitingPayer, now.Add(time.Hour), true},
		"awaited, too late": {payment.Pending, payment.PhaseAwaitingPayer, now, false},
		"held, in time":     {payment.Pending, payment.PhaseHeld, now.Add(time.Hour), true},
		"held":              {payment.Pending, payment.PhaseHeld, time.Time{}, false},
		"unknown":           {payment.Pending, payment.PhaseInReconciliation, time.Time{}, true},
		"unknown, too late": {payment.Pending, payment.PhaseInReconciliation, now, false},
		"the request died":  {payment.Pending, payment.PhaseSubmitting, time.Time{}, true},
		"ended":             {payment.Failed, "", now.Add(time.Hour), false},
	} {
		p := ledger.Payment{Payment: payment.Payment{Status: c.status, Phase: c.phase}}
		p.ExpiresAt = c.until
		if got := gateway.MayDouble(p, payment.SaysFailed, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if gateway.MayDouble(p, payment.SaysSuccessful, now) {
			t.Errorf("%s: money that has moved frees no order", name)
		}
	}
}
