package payment_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
)

// FuzzDecide lives through random lives: any evidence in any order, with a
// clock that jumps and runs backwards. What must hold is stated here once,
// without regard to which rule applies.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{5, 3, 0, 2, 6, 4, 0, 10, 6, 6, 1, 10})              // accepted, pending, paid
	f.Add([]byte{5, 2, 0, 10, 6, 10, 0, 60, 6, 10, 0, 60})           // lost, absent twice
	f.Add([]byte{6, 4, 0, 13, 6, 7, 0, 12, 6, 6, 0, 12})             // timed out, failed, corrected
	f.Add([]byte{7, 6, 4, 10, 6, 6, 1, 12, 9, 6, 0, 12})             // mismatch, then an operator
	f.Add([]byte{2, 6, 1, 10, 255, 0, 0, 1, 6, 4, 1, 9, 6, 6, 1, 9}) // hint, disagreement, paid
	f.Add([]byte{6, 10, 0, 60, 6, 10, 0, 200, 6, 10, 0, 60, 0, 6, 1, 130, 1, 7, 1, 3})
	f.Fuzz(func(t *testing.T, script []byte) { life(t, script) })
}

// TestDecideRandomLives is as many lives as a test run has time for, the same
// ones each time, and shows that they get everywhere.
func TestDecideRandomLives(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	reached := map[string]int{}
	for range 20_000 {
		script := make([]byte, 4*(1+random.IntN(12)))
		for i := range script {
			script[i] = byte(random.Uint32())
			// Mostly status answers about the payment itself, or lives end
			// before they become interesting.
			switch common := random.IntN(3) > 0; {
			case common && i%4 == 0:
				script[i] = byte(slices.Index(sources, payment.FromStatus))
			case common && i%4 == 2:
				script[i] = 0
			}
		}
		p := life(t, script)
		reached[fmt.Sprint(p.Status, p.Phase, p.EndedBy, p.Sequence)]++
		if t.Failed() {
			t.Fatalf("the life %v", script)
		}
	}
	for _, want := range []string{
		"PENDINGsubmitting0", "PENDINGawaiting_payer0", "PENDINGin_reconciliation0", "PENDINGheld0",
		"SUCCESSFULsubmit1", "SUCCESSFULstatus1", "SUCCESSFULsigned_webhook1", "SUCCESSFULoperator1", "SUCCESSFULstatus2",
		"FAILEDsubmit1", "FAILEDstatus1", "FAILEDabsence1", "CANCELLEDstatus1", "TIMEOUTclock1", "TIMEOUTstatus1",
	} {
		if reached[want] == 0 {
			t.Errorf("no life ended as %s; they ended as %v", want, reached)
		}
	}
}

// life leads a payment through a script of four bytes a step (source,
// verdict, detail, clock) and holds each step against what must always hold.
func life(t *testing.T, script []byte) payment.Payment {
	t.Helper()
	p, now := opened(), created
	for len(script) >= 4 {
		b := script[:4]
		script = script[4:]
		now = now.Add(jump(b[3]))
		if b[0] == 255 {
			p = checkHinted(t, p, payment.Statuses[int(b[1])%len(payment.Statuses)], now)
			continue
		}
		detail := details[int(b[2])%len(details)]
		e := payment.Evidence{
			Source: sources[int(b[0])%len(sources)], Reference: p.Reference, Verdict: verdicts[int(b[1])%len(verdicts)],
			Amount: detail.amount, Currency: detail.currency, Payer: detail.payer,
			FinancialTransactionID: string(script), Reason: string(b), At: now,
			Particulars: payment.Particulars{InvoiceURL: detail.invoice},
		}
		d := payment.Decide(p, e, policy)
		checkDecision(t, p, e, detail.differs, d)
		p = d.Payment
		checkPayment(t, p)
	}
	return p
}

// jump turns a byte into a step of the clock: mostly forward by anything from
// an instant to a week, sometimes back.
func jump(b byte) time.Duration {
	step := []time.Duration{0, 1, time.Second, 30 * time.Second, time.Minute, time.Hour, 24 * time.Hour}[b%7]
	step *= time.Duration(b / 7 % 9)
	if b >= 196 {
		return -step
	}
	return step
}

// checkDecision holds one step of a life against what must always hold.
func checkDecision(t *testing.T, before payment.Payment, e payment.Evidence, differs bool, d payment.Decision) {
	t.Helper()
	after := d.Payment
	fail := func(what string) {
		t.Helper()
		t.Errorf("%s: %q says %q at age %v\n%s", what, e.Source, e.Verdict, e.At.Sub(before.CreatedAt), cmp.Diff(before, after))
	}

	if again := payment.Decide(after, e, policy); again.Changed || len(again.Events) > 0 || !reflect.DeepEqual(again.Payment, after) {
		fail("the same evidence again changed something")
	}
	if d.Changed == reflect.DeepEqual(before, after) {
		fail("Changed is not what happened")
	}
	if !believedSource(e.Source) && (d.Changed || len(d.Events) > 0) {
		fail("a hint changed something")
	}
	if d.Confirm && (d.Changed || e.Source == payment.FromStatus) {
		fail("a question about what was applied, or told by the provider itself")
	}

	// Events and statuses.
	if len(d.Events) != after.Sequence-before.Sequence {
		fail("sequence and events disagree")
	}
	endings := slices.DeleteFunc(slices.Clone(d.Events), func(e payment.Event) bool { return e == payment.EventInvoice })
	if (len(endings) == 1) != (after.Status != before.Status) {
		fail("a new status without an event, or the other way round")
	}
	invoices := len(d.Events) - len(endings)
	if (invoices == 1) != (after.InvoiceURL != before.InvoiceURL) {
		fail("a new invoice without an event, or the other way round")
	}
	if invoices > 0 && (after.Status != payment.Successful || d.Events[len(d.Events)-1] != payment.EventInvoice || before.InvoiceURL != "" || differs) {
		fail("an invoice of a payment that did not succeed, before its success, or a second one")
	}
	if after.Status != before.Status {
		if before.Status == payment.Successful {
			fail("SUCCESSFUL was left")
		}
		if before.Status.Ended() && (after.Status != payment.Successful || e.Source != payment.FromStatus || d.Anomaly != payment.AnomalyCorrected) {
			fail("an ending was replaced by something else than the provider's success")
		}
		if !after.Status.Ended() || !after.EndedAt.Equal(e.At) {
			fail("a new status that is no ending of now")
		}
		if why := unfounded(before, after, e, differs); why != "" {
			fail(why)
		}
	}

	if before.Phase == payment.PhaseHeld && after.Phase != payment.PhaseHeld && e.Source != payment.FromOperator {
		fail("a held payment was let go by somebody else than an operator")
	}

	// What a payment is never changes with what becomes of it.
	same := after
	same.Status, same.Phase, same.FinancialTransactionID, same.Reason, same.FailureCode = before.Status, before.Phase, before.FinancialTransactionID, before.Reason, before.FailureCode
	same.Sequence, same.UpdatedAt, same.EndedAt, same.EndedBy = before.Sequence, before.UpdatedAt, before.EndedAt, before.EndedBy
	same.InvoiceURL, same.Unanswerable = before.InvoiceURL, before.Unanswerable
	same.Accepted, same.NotFoundCount, same.NotFoundAt, same.NextCheckAt = before.Accepted, before.NotFoundCount, before.NotFoundAt, before.NextCheckAt
	if !reflect.DeepEqual(same, before) {
		fail("more changed than may")
	}
	if before.Accepted && !after.Accepted {
		fail("what the provider accepted was forgotten")
	}
	if d.Changed {
		if after.NextCheckAt.IsZero() == mustAsk(after, e.At) {
			fail("the next check does not fit")
		}
		if !after.NextCheckAt.IsZero() && after.NextCheckAt.Before(e.At) {
			fail("the next check is past")
		}
	}
}

// unfounded says what a new status lacks; empty when it stands on evidence or
// on our clock.
func unfounded(before, after payment.Payment, e payment.Evidence, differs bool) string {
	switch after.EndedBy {
	case payment.FromClock:
		if after.Status != payment.Timeout || e.Source != payment.FromStatus || e.At.Sub(before.CreatedAt) < policy.Window || after.Reason != payment.ReasonNoEnding {
			return "our clock ended it without reason"
		}
	case payment.FromAbsence:
		grace := before.SubmitDeadline.Add(policy.NotFoundGrace)
		if after.Status != payment.Failed || e.Source != payment.FromStatus || e.Verdict != payment.SaysNotFound || before.Accepted ||
			before.NotFoundCount < 1 || before.NotFoundAt.Before(grace) || e.At.Sub(before.NotFoundAt) < policy.NotFoundSpacing || after.Reason != payment.ReasonNotReceived {
			return "absence without proof"
		}
	case e.Source:
		switch {
		case differs:
			return "ended by evidence about another payment"
		case endings[e.Verdict] != after.Status:
			return "ended by evidence of something else"
		case e.Verdict == payment.SaysRefused && (e.Source != payment.FromSubmit || before.Accepted):
			return "refused what was accepted"
		}
	default:
		return "ended by nobody"
	}
	return ""
}

// checkPayment holds a stored payment against itself.
func checkPayment(t *testing.T, p payment.Payment) {
	t.Helper()
	ended := p.Status.Ended()
	switch {
	case ended != (p.Phase == ""), ended == p.EndedAt.IsZero(), ended != (p.EndedBy != ""), ended != (p.Sequence > 0):
		t.Errorf("half ended: %+v", p)
	case !slices.Contains(payment.Statuses, p.Status), p.Open() == ended:
		t.Errorf("status %q", p.Status)
	case (p.FailureCode == "") != (p.Open() || p.Status == payment.Successful):
		t.Errorf("%s with the failure code %q", p.Status, p.FailureCode)
	case (p.Status == payment.Timeout) && p.Reason != payment.ReasonNoEnding:
		t.Errorf("TIMEOUT for the reason %q", p.Reason)
	case (p.NotFoundCount > 0) == p.NotFoundAt.IsZero(), p.NotFoundCount > 1:
		t.Errorf("not found %d times, last at %v", p.NotFoundCount, p.NotFoundAt)
	case p.Sequence > 3:
		t.Errorf("%d announcements; an ending, its correction and an invoice are three", p.Sequence)
	}
	for _, s := range []string{p.Reason, p.FinancialTransactionID} {
		if len(s) > payment.MaxReason || !utf8.ValidString(s) || slices.Contains([]byte(s), 0) {
			t.Errorf("text %q", s)
		}
	}
}

func checkHinted(t *testing.T, before payment.Payment, claimed payment.Status, now time.Time) payment.Payment {
	t.Helper()
	after, changed := payment.Hinted(before, claimed, now, policy)
	if changed == reflect.DeepEqual(before, after) || changed && !before.Open() && (claimed != payment.Successful || before.Status == claimed) {
		t.Errorf("hinted, changed %v\n%s", changed, cmp.Diff(before, after))
	}
	same := after
	same.HintedAt, same.UpdatedAt, same.NextCheckAt = before.HintedAt, before.UpdatedAt, before.NextCheckAt
	if !reflect.DeepEqual(same, before) {
		t.Errorf("a hint changed more than the next check\n%s", cmp.Diff(before, after))
	}
	if again, changed := payment.Hinted(after, claimed, now, policy); changed {
		t.Errorf("hinted twice\n%s", cmp.Diff(after, again))
	}
	if changed && after.NextCheckAt.IsZero() == mustAsk(after, now) {
		t.Errorf("hinted, next check %v", after.NextCheckAt)
	}
	return after
}

func believedSource(s payment.Source) bool { return slices.Contains(believed, s) }
