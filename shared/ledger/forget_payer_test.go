package ledger_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

// No record of a forgotten payment has the payer's number in any form, the
// index included, and nothing else of it is gone.
func TestForgetPayer(t *testing.T) {
	t.Parallel()
	anyForm := regexp.MustCompile(`2[ -]?6[ -]?8[ -]?7[ -]?6[ -]?1[ -]?2[ -]?3[ -]?4[ -]?5[ -]?6`)
	for _, apart := range []bool{false, true} {
		b := newBooks(t, nil)
		p := newPayment(refA)
		p.PayeeNote = "call +268 7612-3456"
		if apart {
			p.PayerMessage = strings.Repeat("x", 400)
		}
		open := b.create(t, p)
		record := ledger.AuditRecord{At: start, Direction: ledger.InboundFromApp, Reference: refA, Method: "OPERATOR", URL: "payer/forget"}
		if err := b.ForgetPayer(t.Context(), refA, record); !errors.Is(err, ledger.ErrNotForgotten) {
			t.Errorf("an open payment: %v", err)
		}
		for i := range 25 { // more than one write takes
			if err := b.Audit(t.Context(), ledger.AuditRecord{At: start.Add(time.Duration(i) * time.Second), Direction: ledger.OutboundToProvider, Reference: refA,
				Method: "GET", URL: "/status", RequestBody: `{"customer":{"name":"Ana } \"Silva","nif":"004512345LA041"},"a":1}`, ResponseBody: `{"payer":{"partyId":"26876123456"}}`}); err != nil {
				t.Fatal(err)
			}
		}
		b.apply(t, open, evidence(payment.SaysSuccessful, time.Minute))
		before, err := b.Story(t.Context(), refA)
		if err != nil {
			t.Fatal(err)
		}
		trail, err := b.AuditTrail(t.Context(), refA)
		if err != nil {
			t.Fatal(err)
		}

		if err := b.ForgetPayer(t.Context(), refA, record); err != nil {
			t.Fatal(err)
		}
		for _, rec := range b.records() {
			if text := fmt.Sprint(rec); anyForm.MatchString(text) || strings.Contains(text, "Silva") || strings.Contains(text, "004512345") || strings.Contains(text, "hash-of-") {
				t.Errorf("the number is in %s", text)
			}
		}
		after, err := b.Story(t.Context(), refA)
		if err != nil || after.Payment.Payer != payment.Forgotten || after.Payment.PayeeNote != "call +000000000000" {
			t.Fatalf("%+v %v", after.Payment, err)
		}
		after.Payment.Payer, after.Payment.PayeeNote = before.Payment.Payer, before.Payment.PayeeNote
		if d := cmp.Diff(before.Payment.Payment, after.Payment.Payment); d != "" {
			t.Errorf("more has changed:\n%s", d)
		}
		if len(after.Deliveries) != 1 || !strings.Contains(after.Deliveries[0].Body, string(payment.Forgotten)) {
			t.Errorf("%+v", after.Deliveries)
		}
		if left, err := b.AuditTrail(t.Context(), refA); err != nil || len(left) != len(trail)+1 {
			t.Errorf("of %d audit records %d are left: %v", len(trail), len(left), err)
		}
		if page, err := b.ListPayments(t.Context(), "", ledger.PaymentFilter{Payer: "26876123456"}, ledger.Paging{}); err != nil || len(page.Items) != 0 {
			t.Errorf("%+v %v", page, err)
		}
		if held, err := b.ExternalIDHolder(t.Context(), client, order); err != nil || held.Reference != refA {
			t.Errorf("the order is free: %+v %v", held, err)
		}
		if err := b.ForgetPayer(t.Context(), refA, record); !errors.Is(err, ledger.ErrNotForgotten) {
			t.Errorf("again: %v", err)
		}
	}
}
