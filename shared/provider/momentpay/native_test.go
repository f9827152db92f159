package momentpay_test

import (
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momentpay"
)

// TestNative: what is written, and when the webhook that came is passed on.
func TestNative(t *testing.T) {
	t.Parallel()
	p := receiver(t)
	link := known()
	link.IDs = map[string]string{"id": "pr_6phg74i4jG9wbzZbFDUQB", "payment_id": "p_42432fdsjdklfjh4523987", "checkout_session_id": "chk_G9wbzZbFDUQBFAE"}
	link.Instructions = map[string]string{"link": "https://links.momentpay.io/G9wbzZbFDUQBFAE", "expiresAt": "2026-09-17T08:00:00.000Z"}
	link.ExpiresAt = created.Add(24 * time.Hour)
	link.EndedAt, link.Sequence, link.Metadata = created.Add(time.Minute), 1, map[string]string{"cart": "7"}
	link.FinancialTransactionID = "p_42432fdsjdklfjh4523987"
	lost := fixed(momentpay.MethodPush) // nothing is known of it but what was asked
	lost.EndedAt, lost.Sequence = created.Add(time.Hour), 1
	for _, c := range []struct {
		name string
		pay  payment.Payment
		e    payment.Event
	}{
		{"successful", link, payment.EventSuccessful}, {"failed", link, payment.EventFailed},
		{"cancelled", link, payment.EventCancelled}, {"timeout_unknown", lost, payment.EventTimeout},
	} {
		golden(t, "native_"+c.name+".json", p.Native(c.pay, c.e, nil))
	}
	if got := p.Native(link, payment.EventInvoice, []byte(hook(t))); got != nil {
		t.Errorf("an invoice: %s", got)
	}

	unknown := link
	unknown.IDs = nil
	expired := []string{eventType, `"type": "payment_request.updated"`, `"status": "paid"`, `"status": "expired"`}
	for _, c := range []struct {
		name string
		pay  payment.Payment
		e    payment.Event
		raw  string
		pass bool
	}{
		{"as it came", link, payment.EventSuccessful, hook(t), true},
		{"the contract's name", link, payment.EventSuccessful, hook(t, eventType, `"type": "payment_link.updated"`), true},
		{"by its reference alone", unknown, payment.EventSuccessful, hook(t), true},
		{"by its id alone", link, payment.EventSuccessful, hook(t, "external_reference", "x"), true},
		{"neither", unknown, payment.EventSuccessful, hook(t, "external_reference", "x"), false},
		{"another id", link, payment.EventSuccessful, hook(t, "pr_6phg74i4jG9wbzZbFDUQB", "pr_1"), false},
		{"another reference", link, payment.EventSuccessful, hook(t, "INV-2024-001", "ORDER-1"), false},
		{"another status", link, payment.EventFailed, hook(t), false},
		{"paid that says expired", link, payment.EventCancelled, hook(t, `"status": "paid"`, `"status": "expired"`), false},
		{"expired", link, payment.EventCancelled, hook(t, expired...), true},
		{"expired, when our clock says so", link, payment.EventTimeout, hook(t, expired...), true},
		{"expired, when it failed", link, payment.EventFailed, hook(t, expired...), false},
		{"another event", link, payment.EventSuccessful, hook(t, eventType, `"type": "payment.succeeded"`), false},
		{"no JSON", link, payment.EventSuccessful, hook(t)[1:], false},
		{"status twice", link, payment.EventSuccessful, hook(t, `"status": "paid"`, `"status": "failed", "status": "paid"`), false},
	} {
		own, got := string(p.Native(c.pay, c.e, nil)), string(p.Native(c.pay, c.e, []byte(c.raw)))
		if want := map[bool]string{true: c.raw, false: own}[c.pass]; got != want {
			t.Errorf("%s:\n%s", c.name, got)
		}
	}
}
