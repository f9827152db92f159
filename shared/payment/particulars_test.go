package payment_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
)

func TestParticularsAreLearnedOnce(t *testing.T) {
	t.Parallel()
	told := payment.Evidence{
		Source: payment.FromSubmit, Verdict: payment.SaysAccepted, At: created.Add(time.Second),
		Particulars: payment.Particulars{
			IDs:          map[string]string{"operationId": "op-1"},
			Instructions: map[string]string{"entity": "12345", "referenceNumber": "123456789"},
			ExpiresAt:    created.Add(48 * time.Hour),
		},
	}
	before := opened()
	d := payment.Decide(before, told, policy)
	if diff := cmp.Diff(told.Particulars, d.Payment.Particulars); diff != "" || !d.Changed {
		t.Fatalf("(-told +learned):\n%s", diff)
	}
	if before.IDs != nil {
		t.Error("the payment decided about was written to")
	}

	// Another answer adds what is missing and replaces nothing.
	other := told
	other.Source, other.Verdict, other.At = payment.FromStatus, payment.SaysPending, created.Add(time.Minute)
	other.Particulars = payment.Particulars{
		IDs:       map[string]string{"operationId": "op-2", "transactionId": "tx-1", "empty": ""},
		ExpiresAt: created.Add(time.Hour),
	}
	first := d.Payment
	d = payment.Decide(first, other, policy)
	want := told.Particulars
	want.IDs = map[string]string{"operationId": "op-1", "transactionId": "tx-1"}
	if diff := cmp.Diff(want, d.Payment.Particulars); diff != "" {
		t.Errorf("(-want +learned):\n%s", diff)
	}
	if len(first.IDs) != 1 {
		t.Error("an earlier payment's ids were written to")
	}

	// Neither a hint, nor a mismatch, nor an answer without meaning teaches.
	for _, e := range []payment.Evidence{
		{Source: payment.FromCallback, Verdict: payment.SaysPending},
		{Source: payment.FromStatus, Verdict: payment.SaysPending, Amount: "99"},
		{Source: payment.FromStatus, Verdict: payment.SaysNothing},
		{Source: payment.FromStatus, Verdict: payment.SaysNotFound},
	} {
		e.At, e.Particulars = created.Add(time.Minute), told.Particulars
		if d := payment.Decide(opened(), e, policy); d.Payment.IDs != nil || d.Payment.Instructions != nil {
			t.Errorf("%s says %s: learned %v", e.Source, e.Verdict, d.Payment.IDs)
		}
	}
}

// A success and its invoice are two events, in this order, however they come.
func TestInvoice(t *testing.T) {
	t.Parallel()
	pol := policy
	pol.InvoiceFor = time.Hour
	paid := payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysSuccessful, At: created.Add(time.Minute)}
	invoiced := paid
	invoiced.InvoiceURL = "https://invoices.example.com/1"

	together := payment.Decide(opened(), invoiced, pol)
	if diff := cmp.Diff([]payment.Event{payment.EventSuccessful, payment.EventInvoice}, together.Events); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if together.Sequence(0) != 1 || together.Sequence(1) != 2 || !together.Payment.NextCheckAt.IsZero() {
		t.Errorf("sequences %d and %d, next check %v", together.Sequence(0), together.Sequence(1), together.Payment.NextCheckAt)
	}

	first := payment.Decide(opened(), paid, pol)
	asked := 0
	p := first.Payment
	for ; !p.NextCheckAt.IsZero(); asked++ {
		if d := p.NextCheckAt.Sub(created); d > time.Minute+pol.InvoiceFor+pol.MaxInterval {
			t.Fatalf("still asked about %v after it was made", d)
		}
		next := pol.NextCheck(p, p.NextCheckAt)
		if !next.IsZero() && !next.After(p.NextCheckAt) {
			t.Fatalf("question %d at %v is not after %v", asked, next, p.NextCheckAt)
		}
		p.NextCheckAt = next
	}
	if asked < 5 {
		t.Errorf("the invoice was asked for %d times in an hour", asked)
	}
	second := payment.Decide(first.Payment, invoiced, pol)
	if diff := cmp.Diff([]payment.Event{payment.EventInvoice}, second.Events); diff != "" || second.Payment.Sequence != 2 {
		t.Errorf("sequence %d (-want +got):\n%s", second.Payment.Sequence, diff)
	}
	if again := payment.Decide(second.Payment, invoiced, pol); again.Changed {
		t.Error("an invoice was announced twice")
	}
}

// What expires late by the provider's word is not timed out before.
func TestExpiryOutlastsWindow(t *testing.T) {
	t.Parallel()
	p := opened()
	p.Accepted, p.Phase = true, payment.PhaseAwaitingPayer
	p.ExpiresAt = created.Add(5 * policy.Window)
	nothing := payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysPending, At: created.Add(2 * policy.Window)}
	if d := payment.Decide(p, nothing, policy); d.Payment.Status != payment.Pending {
		t.Errorf("%s while the payer can still pay", d.Payment.Status)
	}
	if next := policy.NextCheck(p, p.ExpiresAt.Add(-time.Second)); !next.Equal(p.ExpiresAt) {
		t.Errorf("next check %v, not at the expiry", next)
	}
	nothing.At = p.ExpiresAt
	d := payment.Decide(p, nothing, policy)
	if d.Payment.Status != payment.Timeout {
		t.Errorf("%s at the expiry", d.Payment.Status)
	}
	if d.Payment.NextCheckAt.IsZero() {
		t.Error("nobody asks after our own clock's word")
	}
}

func TestInvoiceAnnouncement(t *testing.T) {
	t.Parallel()
	p := opened()
	p.Status, p.Sequence, p.InvoiceURL = payment.Successful, 2, "https://invoices.example.com/1"
	p.EndedAt, p.UpdatedAt = created.Add(time.Minute), created.Add(2*time.Minute)
	p.Payer = ""
	if diff := cmp.Diff(`{"event":"invoice.created","referenceId":"`+p.Reference+`","externalId":"order-1","status":"SUCCESSFUL",`+
		`"financialTransactionId":null,"reason":null,"provider":"mtn","amount":"100.00","currency":"SZL","payer":null,`+
		`"sequence":2,"occurredAt":"2026-03-01T08:02:00.000Z","invoiceUrl":"https://invoices.example.com/1","metadata":{"cart":"7"}}`,
		string(payment.Announcement(p, payment.EventInvoice, 2))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The answer that held the id was lost, and a webhook brings it an hour later:
// the question that it makes possible does not wait for the schedule.
func TestFirstIDIsAskedAboutSoon(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	policy := payment.Policy{FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, GiveUp: 168 * time.Hour, LateInterval: 24 * time.Hour}
	open := payment.Payment{
		Reference: "r", Amount: payment.Money{Minor: 100, Currency: "ZAR"}, Status: payment.Pending, Phase: payment.PhaseInReconciliation,
		CreatedAt: created, SubmitDeadline: created.Add(30 * time.Second), NextCheckAt: created.Add(2 * time.Hour),
	}
	ids := payment.Particulars{IDs: map[string]string{"id": "pr_1"}}
	known := open
	known.Particulars = ids
	ended := open
	ended.Status, ended.EndedBy, ended.NextCheckAt = payment.Timeout, payment.FromClock, created.Add(30*time.Hour)
	at := created.Add(time.Hour)
	for name, c := range map[string]struct {
		p    payment.Payment
		want time.Time
	}{
		"the first id":           {open, at.Add(10 * time.Second)},
		"an id that was known":   {known, known.NextCheckAt},
		"of an ended payment":    {ended, policy.NextCheck(ended, at)},
		"a check that is sooner": {func() payment.Payment { p := open; p.NextCheckAt = at.Add(time.Second); return p }(), at.Add(time.Second)},
	} {
		d := payment.Decide(c.p, payment.Evidence{Source: payment.FromSignedWebhook, Verdict: payment.SaysPending, Reference: "r", Particulars: ids, At: at}, policy)
		if !d.Payment.NextCheckAt.Equal(c.want) {
			t.Errorf("%s: next check at %s, want %s", name, d.Payment.NextCheckAt, c.want)
		}
	}
}

// The second answer of absence counts from exactly the spacing on.
func TestAbsenceCountsAtTheSpacing(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	policy := payment.Policy{FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, GiveUp: 168 * time.Hour, LateInterval: 24 * time.Hour, NotFoundSpacing: 30 * time.Second}
	p := payment.Payment{Reference: "r", Status: payment.Pending, Phase: payment.PhaseInReconciliation, CreatedAt: created, NotFoundCount: 1, NotFoundAt: created}
	for after, want := range map[time.Duration]payment.Status{30*time.Second - 1: payment.Pending, 30 * time.Second: payment.Failed} {
		d := payment.Decide(p, payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysNotFound, At: created.Add(after)}, policy)
		if d.Payment.Status != want {
			t.Errorf("after %s it is %s, want %s", after, d.Payment.Status, want)
		}
	}
}

// An id alone announces nothing: the invoice's event needs an invoice.
func TestAnIDIsNoInvoice(t *testing.T) {
	t.Parallel()
	p := payment.Payment{Reference: "r", Status: payment.Pending, Phase: payment.PhaseAwaitingPayer, Accepted: true, CreatedAt: time.Date(2026, 11, 1, 11, 0, 0, 0, time.UTC)}
	e := payment.Evidence{Source: payment.FromStatus, Verdict: payment.SaysPending, Particulars: payment.Particulars{IDs: map[string]string{"id": "1"}}}
	e.At = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	d := payment.Decide(p, e, payment.Policy{FirstCheck: 10 * time.Second, MaxInterval: time.Hour, Window: 24 * time.Hour, GiveUp: 168 * time.Hour})
	if !d.Changed || d.Payment.IDs["id"] != "1" || len(d.Events) > 0 || d.Payment.Sequence != 0 {
		t.Errorf("%+v", d)
	}
}
