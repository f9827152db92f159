package refund_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

var start = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

func szl(minor int64) payment.Money { return payment.Money{Minor: minor, Currency: "SZL"} }

func paid() payment.Payment {
	return payment.Payment{
		Reference: "11111111-1111-4111-8111-111111111111", ClientID: "cli_1", ExternalID: "order-1", Provider: "mtn",
		Amount: szl(10_000), Payer: "26876123456", Status: payment.Successful, FinancialTransactionID: "F1",
		EndedBy: payment.FromStatus, EndedAt: start, CreatedAt: start, UpdatedAt: start, Sequence: 1,
	}
}

func ask(id string, minor int64) refund.Ask {
	a := refund.Ask{ID: id, Kind: refund.ByRefund, Reason: "returned", At: start}
	if minor > 0 {
		a.Amount = szl(minor)
	}
	return a
}

func TestNew(t *testing.T) {
	t.Parallel()
	with := func(change func(*payment.Payment)) payment.Payment {
		p := paid()
		change(&p)
		return p
	}
	transfer := ask("a", 1)
	transfer.Kind = refund.ByTransfer
	for name, c := range map[string]struct {
		p    payment.Payment
		a    refund.Ask
		want error
	}{
		"all":                    {paid(), ask("a", 0), nil},
		"a part":                 {paid(), ask("a", 1), nil},
		"the rest":               {with(func(p *payment.Payment) { p.Refunds.Reserved = 9_999 }), ask("a", 1), nil},
		"too much":               {paid(), ask("a", 10_001), refund.ErrTooMuch},
		"too much beside others": {with(func(p *payment.Payment) { p.Refunds.Reserved = 9_999 }), ask("a", 2), refund.ErrTooMuch},
		"nothing left":           {with(func(p *payment.Payment) { p.Refunds.Reserved = 10_000 }), ask("a", 0), refund.ErrTooMuch},
		"less than nothing":      {paid(), ask("a", 0), nil},
		"another currency":       {paid(), refund.Ask{ID: "a", Amount: payment.Money{Minor: 1, Currency: "EUR"}}, refund.ErrTooMuch},
		"a negative amount":      {paid(), refund.Ask{ID: "a", Amount: szl(-1)}, refund.ErrTooMuch},
		"one is open":            {with(func(p *payment.Payment) { p.Refunds.Open = "b" }), ask("a", 1), refund.ErrOpen},
		"too many":               {with(func(p *payment.Payment) { p.Refunds.Count = refund.MaxRefunds }), ask("a", 1), refund.ErrTooMany},
		"no id":                  {paid(), ask("", 1), refund.ErrNoID},
		"no payer to refund to":  {with(func(p *payment.Payment) { p.Payer = payment.Forgotten }), ask("a", 1), nil},
		"no payer":               {with(func(p *payment.Payment) { p.Payer = "" }), transfer, refund.ErrNoPayer},
		"a forgotten payer":      {with(func(p *payment.Payment) { p.Payer = payment.Forgotten }), transfer, refund.ErrNoPayer},
		"a transfer":             {paid(), transfer, nil},
		"pending":                {with(func(p *payment.Payment) { p.Status = payment.Pending }), ask("a", 1), refund.ErrNotPaid},
		"failed":                 {with(func(p *payment.Payment) { p.Status = payment.Failed }), ask("a", 1), refund.ErrNotPaid},
		"timeout":                {with(func(p *payment.Payment) { p.Status = payment.Timeout }), ask("a", 1), refund.ErrNotPaid},
	} {
		p, r, err := refund.New(c.p, c.a)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		switch {
		case err != nil && (p.Refunds != c.p.Refunds || r != refund.Refund{}):
			t.Errorf("%s: refused, and %+v %+v", name, p.Refunds, r)
		case err == nil && (p.Refunds.Reserved > p.Amount.Minor || p.Refunds.Reserved != c.p.Refunds.Reserved+r.Amount.Minor || p.Refunds.Open != "a" || r.Status != refund.Pending):
			t.Errorf("%s: %+v %+v", name, p.Refunds, r)
		}
	}
}

// The reference of a refund follows from what it is: a repeat has the same, and
// an app that uses another's refund id has another.
func TestReferenceFor(t *testing.T) {
	t.Parallel()
	a := refund.ReferenceFor("cli_1", "p", "r")
	if a != refund.ReferenceFor("cli_1", "p", "r") || !payment.IsReference(a) || a[14] != '4' {
		t.Errorf("%q", a)
	}
	for _, b := range []string{refund.ReferenceFor("cli_2", "p", "r"), refund.ReferenceFor("cli_1", "q", "r"), refund.ReferenceFor("cli_1", "p", "s")} {
		if a == b {
			t.Error("two refunds have one reference")
		}
	}
}

func TestClaim(t *testing.T) {
	t.Parallel()
	_, r, _ := refund.New(paid(), ask("a", 100))
	claimed, ok := refund.Claim(r, start)
	if !ok || claimed.Status != refund.Submitted || claimed.Sends != 1 || claimed.AskedAt.IsZero() || claimed.Reference != r.Reference {
		t.Errorf("%t %+v", ok, claimed)
	}
	for _, s := range refund.Statuses {
		if r.Status = s; s == refund.Pending {
			r.Kind = refund.ByHand
		}
		if _, ok := refund.Claim(r, start); ok {
			t.Errorf("%s is sent", s)
		}
	}
}

// Only the sender whose claim stands may say that nothing has left.
func TestUnsent(t *testing.T) {
	t.Parallel()
	p, r, _ := refund.New(paid(), ask("a", 100))
	first, _ := refund.Claim(r, start)
	back := refund.Unsent(p, first, 1, "NO_TOKEN", start.Add(time.Second))
	if !back.Changed || back.Refund.Status != refund.Pending || back.Payment.Refunds != p.Refunds {
		t.Fatalf("%+v", back)
	}
	second, ok := refund.Claim(back.Refund, start.Add(time.Minute))
	if !ok || second.Sends != 2 {
		t.Fatalf("%+v", second)
	}
	if d := refund.Unsent(p, second, 1, "", start.Add(time.Minute)); d.Changed {
		t.Error("the first sender takes back what the second one sends")
	}
	known := second
	known.Accepted = true
	if d := refund.Unsent(p, known, 2, "", start.Add(time.Minute)); d.Changed {
		t.Error("taken back, and the provider has it")
	}
	last := refund.Unsent(p, second, 2, "", start.Add(refund.SendWithin))
	if last.Refund.Status != refund.Failed || last.Refund.Code != payment.ReasonNotSent || last.Payment.Refunds.Reserved != 0 || last.Event != payment.EventRefundFailed {
		t.Errorf("%+v", last)
	}
}

func TestAnnouncement(t *testing.T) {
	t.Parallel()
	p, r, _ := refund.New(paid(), ask("a0000000-0000-4000-8000-000000000001", 2_550))
	r, _ = refund.Claim(r, start)
	d := refund.Decide(p, r, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, Amount: "25.5", Currency: "SZL", FinancialTransactionID: "R1", At: start.Add(time.Minute)})
	want := `{"event":"refund.successful","referenceId":"11111111-1111-4111-8111-111111111111","externalId":"order-1","status":"SUCCESSFUL","financialTransactionId":"F1","reason":null,"provider":"mtn","amount":"100.00","currency":"SZL","payer":"26876123456","sequence":2,"occurredAt":"2026-11-30T08:01:00.000Z","refund":{"refundId":"a0000000-0000-4000-8000-000000000001","status":"SUCCESSFUL","amount":"25.50","currency":"SZL","financialTransactionId":"R1","providerCode":null,"refundedAmount":"25.50"}}`
	if diff := cmp.Diff(want, string(refund.Announcement(d.Payment, d.Refund))); diff != "" {
		t.Error(diff)
	}
}
