package judge_test

import (
	"strings"
	"testing"

	"momoproxy/infra/judge"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

// story is a payment of 1.00 with two refunds of 0.40, one of which failed, and
// their events.
func story(t *testing.T, native bool) ledger.Story {
	t.Helper()
	p := payment.Payment{Reference: "p", ClientID: "cli", Amount: payment.Money{Minor: 100, Currency: "SZL"}, Status: payment.Successful, Sequence: 1, NativeCallbacks: native}
	s := ledger.Story{Deliveries: []delivery.Delivery{{EventID: "evt_1", Sequence: 1, Event: payment.EventSuccessful, Body: `{"sequence":1}`}}}
	if native {
		s.Deliveries[0].Body = "{}"
	}
	for _, id := range []string{"r1", "r2"} {
		q, r, err := refund.New(p, refund.Ask{ID: id, Amount: payment.Money{Minor: 40, Currency: "SZL"}, Kind: refund.ByRefund})
		if err != nil {
			t.Fatal(err)
		}
		r, _ = refund.Claim(r, r.CreatedAt)
		verdict := payment.SaysSuccessful
		if id == "r1" {
			verdict = payment.SaysFailed
		}
		d := refund.Decide(q, r, payment.Evidence{Source: payment.FromStatus, Verdict: verdict, At: r.CreatedAt.Add(refund.Grace)})
		p = d.Payment
		s.Refunds = append(s.Refunds, ledger.Refund{Refund: d.Refund})
		s.Deliveries = append(s.Deliveries, delivery.New(d.Payment, d.Event, d.Payment.Sequence, string(refund.Announcement(d.Payment, d.Refund))))
	}
	s.Payment.Payment = p
	return s
}

func TestRefundsAreJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		native bool
		spoil  func(*ledger.Story, map[string]int)
		want   string // empty: nothing is wrong
	}{
		"nothing":                         {false, func(*ledger.Story, map[string]int) {}, ""},
		"the provider's form was asked":   {true, func(*ledger.Story, map[string]int) {}, ""},
		"executed and told as failed":     {false, func(s *ledger.Story, n map[string]int) { n[s.Refunds[0].Reference] = 1 }, "failed by status, and was executed"},
		"told as successful, not done":    {false, func(s *ledger.Story, n map[string]int) { n[s.Refunds[1].Reference] = 0 }, "was not executed"},
		"executed twice":                  {false, func(s *ledger.Story, n map[string]int) { n[s.Refunds[1].Reference] = 2 }, "was executed 2 times"},
		"more than was paid":              {false, func(s *ledger.Story, n map[string]int) { s.Refunds[1].Amount.Minor = 101 }, "101 was given back of 1.00 SZL"},
		"what is taken is not what it is": {false, func(s *ledger.Story, n map[string]int) { s.Payment.Refunds.Reserved = 80 }, "80 counts as taken"},
		"of what was not paid":            {false, func(s *ledger.Story, n map[string]int) { s.Payment.Status = payment.Failed }, "FAILED, and has 2 refunds"},
		"told twice": {false, func(s *ledger.Story, n map[string]int) {
			s.Deliveries[2].Event, s.Deliveries[2].Body = s.Deliveries[1].Event, s.Deliveries[1].Body
		}, "was announced twice"},
		"told otherwise": {false, func(s *ledger.Story, n map[string]int) { s.Deliveries[1].Event = payment.EventRefundSuccessful }, `refund r1 is FAILED and was announced as "refund.successful"`},
		"not told":       {false, func(s *ledger.Story, n map[string]int) { s.Deliveries = s.Deliveries[:2]; s.Payment.Sequence = 2 }, `refund r2 is SUCCESSFUL and was announced as ""`},
		"told of none":   {false, func(s *ledger.Story, n map[string]int) { s.Refunds = s.Refunds[:1] }, "announced that there are not"},
	} {
		s := story(t, c.native)
		executed := map[string]int{s.Refunds[1].Reference: 1}
		c.spoil(&s, executed)
		var said []string
		for _, f := range append(judge.Payment(s, 1, nil), judge.Refunds(s, func(reference string) int { return executed[reference] })...) {
			said = append(said, f.What)
		}
		if got := strings.Join(said, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
