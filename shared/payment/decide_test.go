package payment_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
)

type state struct {
	name string
	payment.Payment
}

// states are all the shapes a stored payment can have.
func states() []state {
	var all []state
	open := func(name string, change func(*payment.Payment)) {
		p := opened()
		change(&p)
		all = append(all, state{name, p})
	}
	open("submitting", func(*payment.Payment) {})
	open("awaiting payer", func(p *payment.Payment) { p.Phase, p.Accepted = payment.PhaseAwaitingPayer, true })
	open("ongoing", func(p *payment.Payment) {
		p.Status, p.Phase, p.Accepted = payment.Ongoing, payment.PhaseAwaitingPayer, true
	})
	open("in reconciliation", func(p *payment.Payment) { p.Phase = payment.PhaseInReconciliation })
	open("asked about", func(p *payment.Payment) { p.Checks = 1 })
	open("not found once", func(p *payment.Payment) {
		p.Phase, p.NotFoundCount, p.NotFoundAt = payment.PhaseInReconciliation, 1, created.Add(3*time.Minute)
	})
	open("unanswerable", func(p *payment.Payment) {
		p.Phase, p.Unanswerable = payment.PhaseInReconciliation, true
	})
	open("held", func(p *payment.Payment) { p.Phase = payment.PhaseHeld })
	open("held, accepted", func(p *payment.Payment) { p.Phase, p.Accepted = payment.PhaseHeld, true })
	open("held, not found once", func(p *payment.Payment) {
		p.Phase, p.NotFoundCount, p.NotFoundAt = payment.PhaseHeld, 1, created.Add(3*time.Minute)
	})
	for _, by := range believed {
		for _, s := range []payment.Status{payment.Successful, payment.Failed, payment.Cancelled, payment.Timeout} {
			// A TIMEOUT by the provider is one about which it has spoken since.
			all = append(all, state{fmt.Sprintf("%s by %s", s, by), endedBy(s, by)})
		}
	}
	invoiced := endedBy(payment.Successful, payment.FromStatus)
	invoiced.Sequence, invoiced.InvoiceURL = 2, "https://invoices.example.com/7"
	all = append(all, state{"SUCCESSFUL, invoiced", invoiced})
	all = append(all, state{"TIMEOUT by clock", endedBy(payment.Timeout, payment.FromClock)})
	all = append(all, state{"FAILED by absence", endedBy(payment.Failed, payment.FromAbsence)})
	return all
}

// details are the ways evidence can describe the payment.
var details = []struct {
	name                    string
	amount, currency, payer string
	differs                 bool
	invoice                 string
}{
	{name: "nothing reported"},
	{name: "as asked", amount: "100.00", currency: "SZL", payer: "26876123456"},
	{name: "as asked, invoiced", amount: "100.00", currency: "SZL", payer: "26876123456", invoice: "https://invoices.example.com/1"},
	{name: "other amount, invoiced", amount: "100.01", currency: "SZL", payer: "26876123456", differs: true, invoice: "https://invoices.example.com/1"},
	{name: "normalised", amount: "100", currency: "SZL", payer: "+26876123456"},
	{name: "more zeros", amount: "100.000"},
	{name: "other amount", amount: "100.01", currency: "SZL", payer: "26876123456", differs: true},
	{name: "zero", amount: "0", differs: true},
	{name: "other currency", amount: "100", currency: "EUR", payer: "26876123456", differs: true},
	{name: "currency alone", currency: "szl", differs: true},
	{name: "other payer", amount: "100", currency: "SZL", payer: "26876123457", differs: true},
	{name: "unreadable amount", amount: "1e2", currency: "SZL", differs: true},
}

var (
	sources  = append([]payment.Source{"", "nobody", payment.FromCallback, payment.FromClock, payment.FromAbsence}, believed...)
	verdicts = []payment.Verdict{
		"", "nonsense", payment.SaysNothing, payment.SaysAccepted, payment.SaysPending, payment.SaysUnrecognised,
		payment.SaysSuccessful, payment.SaysFailed, payment.SaysCancelled, payment.SaysRefused, payment.SaysNotFound, payment.SaysUnanswerable,
	}
	// ages stand on, before and behind every boundary of the policy.
	ages = []time.Duration{
		-time.Hour, 0, 30 * time.Second, 30*time.Second + 1,
		150*time.Second - 1, 150 * time.Second, // the grace time's end
		4*time.Minute - 1, 4 * time.Minute, // spacing after "not found once"
		policy.Window - 1, policy.Window, policy.GiveUp, 365 * 24 * time.Hour,
	}
)

// TestDecide is the complete table: every state, source, verdict, detail and
// age, against the rules of decide_oracle_test.go.
func TestDecide(t *testing.T) {
	t.Parallel()
	used := make([]int, len(rules))
	failed := make([]int, len(rules))
	rows := 0
	for _, st := range states() {
		for _, source := range sources {
			for _, verdict := range verdicts {
				for _, detail := range details {
					for _, age := range ages {
						e := payment.Evidence{
							Source: source, Verdict: verdict, Reference: st.Reference, Amount: detail.amount, Currency: detail.currency, Payer: detail.payer,
							FinancialTransactionID: "600198217", Code: "CODE", Reason: "reason", At: created.Add(age),
							Particulars: payment.Particulars{InvoiceURL: detail.invoice},
						}
						n, want := expect(situation{st.Payment, e, detail.differs})
						used[n]++
						rows++
						got := payment.Decide(st.Payment, e, policy)
						if want := decision(st.Payment, e, want); !reflect.DeepEqual(want, got) {
							if failed[n]++; failed[n] <= 3 {
								diff := cmp.Diff(want, got)
								t.Errorf("%s; %q says %q, %s, at age %v\nrule: %s\n(-want +got):\n%s", st.name, source, verdict, detail.name, age, rules[n].why, diff)
							}
						}
					}
				}
			}
		}
	}
	for i, n := range used {
		if n == 0 {
			t.Errorf("no row of the table needs the rule: %s", rules[i].why)
		}
		if failed[i] > 3 {
			t.Errorf("%d rows in all break the rule: %s", failed[i], rules[i].why)
		}
	}
	if rows < 100_000 {
		t.Errorf("the table has %d rows; something fell out of it", rows)
	}
}

// decision spells an outcome out as the Decision it must be.
func decision(p payment.Payment, e payment.Evidence, o outcome) payment.Decision {
	d := payment.Decision{Payment: p, Confirm: o.confirm, Anomaly: o.anomaly}
	q := &d.Payment
	if o.phase != "" {
		q.Phase = o.phase
	}
	if o.known {
		q.Accepted = true
	}
	if o.notFound >= 0 && o.notFound != q.NotFoundCount {
		q.NotFoundCount, q.NotFoundAt = o.notFound, time.Time{}
		if o.notFound > 0 {
			q.NotFoundAt = e.At
		}
	}
	if o.endedBy != "" {
		q.EndedBy = o.endedBy
	}
	if o.known || o.status != "" {
		q.Unanswerable = false
	}
	if o.unanswerable {
		q.Unanswerable = true
	}
	if o.status != "" {
		d.Events = []payment.Event{payment.Event("payment." + strings.ToLower(string(o.status)))}
		q.Status, q.Phase, q.EndedAt, q.Sequence = o.status, "", e.At, p.Sequence+1
		q.FinancialTransactionID, q.Reason = e.FinancialTransactionID, e.Code
		q.FailureCode = map[payment.Status]payment.FailureCode{payment.Failed: payment.FailureUnspecified, payment.Cancelled: payment.FailureCancelled}[o.status]
		switch o.endedBy {
		case payment.FromClock:
			q.Reason, q.FailureCode = payment.ReasonNoEnding, payment.FailureNoEnding
		case payment.FromAbsence:
			q.Reason, q.FailureCode = payment.ReasonNotReceived, payment.FailureNotReceived
		case payment.FromOperator:
			q.FailureCode = payment.FailureByOperator
		}
		if o.status == payment.Successful {
			q.Reason, q.FailureCode = "", ""
		}
	}
	if o.invoice {
		q.Sequence++
		q.InvoiceURL = e.InvoiceURL
		d.Events = append(d.Events, payment.EventInvoice)
	}
	if d.Changed = !reflect.DeepEqual(p, *q); d.Changed {
		q.UpdatedAt = e.At
		q.NextCheckAt = policy.NextCheck(*q, e.At)
	}
	if o.stopsAsk {
		q.NextCheckAt = time.Time{}
	}
	return d
}

// eventsOf writes a decision's events as one word each.
func eventsOf(d payment.Decision) string {
	words := make([]string, len(d.Events))
	for i, e := range d.Events {
		words[i] = string(e)
	}
	return strings.Join(words, " ")
}

// A few lives from end to end, to be read.
func TestDecideLives(t *testing.T) {
	t.Parallel()
	type step struct {
		after   time.Duration // since creation
		source  payment.Source
		verdict payment.Verdict
		want    string // status, phase, sequence, then event, anomaly, "ask"
	}
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"paid, the callback lost", []step{
			{time.Second, payment.FromSubmit, payment.SaysAccepted, "PENDING awaiting_payer 0"},
			{10 * time.Second, payment.FromStatus, payment.SaysPending, "PENDING awaiting_payer 0"},
			{30 * time.Second, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 1 payment.successful"},
			{31 * time.Second, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 1"},
		}},
		{"a forged callback, before and after the payer declines", []step{
			{time.Second, payment.FromSubmit, payment.SaysAccepted, "PENDING awaiting_payer 0"},
			{5 * time.Second, payment.FromCallback, payment.SaysSuccessful, "PENDING awaiting_payer 0 ask"},
			{6 * time.Second, payment.FromStatus, payment.SaysFailed, "FAILED 1 payment.failed"},
			{7 * time.Second, payment.FromCallback, payment.SaysSuccessful, "FAILED 1 contradicts_ending ask"},
			{8 * time.Second, payment.FromStatus, payment.SaysFailed, "FAILED 1"},
		}},
		{"the answer to the request lost, the money moved", []step{
			{20 * time.Second, payment.FromSubmit, payment.SaysNothing, "PENDING in_reconciliation 0"},
			{25 * time.Second, payment.FromStatus, payment.SaysNotFound, "PENDING in_reconciliation 0"},
			{40 * time.Second, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 1 payment.successful"},
		}},
		{"never received", []step{
			{20 * time.Second, payment.FromSubmit, payment.SaysNothing, "PENDING in_reconciliation 0"},
			{149 * time.Second, payment.FromStatus, payment.SaysNotFound, "PENDING in_reconciliation 0"},
			{150 * time.Second, payment.FromStatus, payment.SaysNotFound, "PENDING in_reconciliation 0"},
			{209 * time.Second, payment.FromStatus, payment.SaysNotFound, "PENDING in_reconciliation 0"},
			{210 * time.Second, payment.FromStatus, payment.SaysNotFound, "FAILED 1 payment.failed"},
			{time.Hour, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 2 payment.successful corrected_to_successful"},
		}},
		{"not found, then known after all, then not found: forgotten, not absent", []step{
			{150 * time.Second, payment.FromStatus, payment.SaysNotFound, "PENDING in_reconciliation 0"},
			{160 * time.Second, payment.FromStatus, payment.SaysPending, "PENDING awaiting_payer 0"},
			{time.Hour, payment.FromStatus, payment.SaysNotFound, "PENDING awaiting_payer 0 provider_forgot"},
			{2 * time.Hour, payment.FromStatus, payment.SaysNotFound, "PENDING awaiting_payer 0 provider_forgot"},
		}},
		{"our time is up, the provider speaks later, then contradicts itself", []step{
			{time.Second, payment.FromSubmit, payment.SaysAccepted, "PENDING awaiting_payer 0"},
			{policy.Window, payment.FromStatus, payment.SaysPending, "TIMEOUT 1 payment.timeout"},
			{policy.Window + time.Hour, payment.FromStatus, payment.SaysFailed, "TIMEOUT 1"},
			{policy.Window + 2*time.Hour, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 2 payment.successful corrected_to_successful"},
			{policy.Window + 3*time.Hour, payment.FromStatus, payment.SaysFailed, "SUCCESSFUL 2 contradicts_ending"},
		}},
		{"late success by an unsigned callback needs the provider's word", []step{
			{policy.Window, payment.FromStatus, payment.SaysNothing, "TIMEOUT 1 payment.timeout"},
			{policy.Window + time.Hour, payment.FromCallback, payment.SaysSuccessful, "TIMEOUT 1 contradicts_ending ask"},
			{policy.Window + time.Hour, payment.FromTrustedCallback, payment.SaysSuccessful, "TIMEOUT 1 contradicts_ending ask"},
			{policy.Window + time.Hour, payment.FromSignedWebhook, payment.SaysSuccessful, "TIMEOUT 1 contradicts_ending ask"},
			{policy.Window + time.Hour, payment.FromOperator, payment.SaysSuccessful, "TIMEOUT 1 contradicts_ending ask"},
			{policy.Window + time.Hour, payment.FromStatus, payment.SaysSuccessful, "SUCCESSFUL 2 payment.successful corrected_to_successful"},
		}},
		{"a crash between storing and asking", []step{
			{31 * time.Second, payment.FromStatus, payment.SaysNothing, "PENDING in_reconciliation 0"},
			{32 * time.Second, payment.FromSubmit, payment.SaysAccepted, "PENDING awaiting_payer 0"},
			{33 * time.Second, payment.FromSubmit, payment.SaysRefused, "PENDING awaiting_payer 0 contradicts_ending"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := opened()
			for i, s := range tc.steps {
				d := payment.Decide(p, payment.Evidence{Source: s.source, Verdict: s.verdict, Reference: p.Reference, At: created.Add(s.after)}, policy)
				p = d.Payment
				got := fmt.Sprintf("%s %s %d %s %s", p.Status, p.Phase, p.Sequence, eventsOf(d), d.Anomaly)
				if d.Confirm {
					got += " ask"
				}
				if got = strings.Join(strings.Fields(got), " "); got != s.want {
					t.Fatalf("step %d: %q, want %q", i, got, s.want)
				}
			}
		})
	}
}

// A held payment has one way out: its operator.
func TestDecideHeldNeedsOperator(t *testing.T) {
	t.Parallel()
	p := opened()
	say := func(source payment.Source, v payment.Verdict, amount string, after time.Duration) payment.Decision {
		d := payment.Decide(p, payment.Evidence{Source: source, Verdict: v, Amount: amount, At: created.Add(after)}, policy)
		p = d.Payment
		return d
	}
	if d := say(payment.FromStatus, payment.SaysSuccessful, "1.00", time.Minute); p.Phase != payment.PhaseHeld || len(d.Events) > 0 {
		t.Fatalf("another amount: phase %q, events %q", p.Phase, d.Events)
	}
	for _, v := range verdicts {
		for after := time.Hour; after < 10*24*time.Hour; after *= 3 {
			// Neither silence about the amount nor the right one opens it.
			for _, amount := range []string{"", "100"} {
				if say(payment.FromStatus, v, amount, after); p.Phase != payment.PhaseHeld || p.Status.Ended() {
					t.Fatalf("status says %q with amount %q: %s %q", v, amount, p.Status, p.Phase)
				}
			}
		}
	}
	if d := say(payment.FromOperator, payment.SaysSuccessful, "", 11*24*time.Hour); !slices.Equal(d.Events, []payment.Event{payment.EventSuccessful}) || p.EndedBy != payment.FromOperator {
		t.Errorf("operator: %s by %q, events %q", p.Status, p.EndedBy, d.Events)
	}
}

func TestDecideReason(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 150) // 300 bytes
	for _, tc := range []struct{ name, reason, code, want string }{
		{"code first", "Payer declined", "APPROVAL_REJECTED", "APPROVAL_REJECTED"},
		{"reason without code", "Payer declined", "", "Payer declined"},
		{"code without reason", "", "APPROVAL_REJECTED", "APPROVAL_REJECTED"},
		{"neither", "", "", ""},
		{"cut between runes", long, "", strings.Repeat("é", 100)},
		{"cut inside a rune", "x" + long, "", "x" + strings.Repeat("é", 99)},
		{"exactly full", strings.Repeat("x", 200), "", strings.Repeat("x", 200)},
		{"one over", strings.Repeat("x", 201), "", strings.Repeat("x", 200)},
		{"no NUL, no broken UTF-8", "a\x00b\xffc", "", "abc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysFailed, Reason: tc.reason, Code: tc.code, FinancialTransactionID: tc.reason, At: created}
			got := payment.Decide(opened(), e, policy).Payment
			if got.Reason != tc.want || !utf8.ValidString(got.Reason) || len(got.Reason) > payment.MaxReason {
				t.Errorf("reason %q, want %q", got.Reason, tc.want)
			}
			if id := got.FinancialTransactionID; tc.reason != "" && tc.code == "" && id != tc.want {
				t.Errorf("financial transaction id %q, want %q", id, tc.want)
			}
			e.Verdict = payment.SaysSuccessful
			if got := payment.Decide(opened(), e, policy).Payment; got.Reason != "" {
				t.Errorf("a success has the reason %q", got.Reason)
			}
		})
	}
}
