package momentpay_test

import (
	"strings"
	"testing"
	"time"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/momentpay"
	"momoproxy/shared/provider/providertest"
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

	honest := sent(t)
	link.Amount.Minor = 10000
	link.PayerMessage, link.ExpiresAt = "Product purchase", time.Date(2025, 6, 17, 10, 30, 0, 0, time.UTC)
	unknown := link
	unknown.IDs = nil
	expired := []string{eventType, `"type": "payment_request.updated"`, `"status": "paid"`, `"status": "expired"`}
	for _, c := range []struct {
		name   string
		pay    payment.Payment
		e      payment.Event
		change []string
		pass   bool
	}{
		{"as it came", link, payment.EventSuccessful, nil, true},
		{"the contract's name", link, payment.EventSuccessful, []string{eventType, `"type": "payment_link.updated"`}, true},
		{"the other spelling", link, payment.EventSuccessful, []string{"link_url", "url"}, true},
		{"the same instant", link, payment.EventSuccessful, []string{"2025-06-17T10:30:00Z", "2025-06-17T12:30:00+02:00"}, true},
		{"no amount", link, payment.EventSuccessful, []string{`"amount": 10000,`, ""}, true},
		{"an id that is not known", unknown, payment.EventSuccessful, nil, false},
		{"no reference", link, payment.EventSuccessful, []string{"external_reference", "reference"}, false},
		{"another id", link, payment.EventSuccessful, []string{"pr_6phg74i4jG9wbzZbFDUQB", "pr_1"}, false},
		{"another reference", link, payment.EventSuccessful, []string{reference, "ORDER-1"}, false},
		{"reference in upper case", link, payment.EventSuccessful, []string{reference, strings.ToUpper(reference)}, false},
		{"another payment id", link, payment.EventSuccessful, []string{"p_42432fdsjdklfjh4523987", "p_2"}, false},
		{"another session", link, payment.EventSuccessful, []string{"chk_G9wbzZbFDUQBFAE", "chk_2"}, false},
		{"another link", link, payment.EventSuccessful, []string{"links.momentpay.io", "links.momentpay.example"}, false},
		{"another amount", link, payment.EventSuccessful, []string{"10000", "1000000"}, false},
		{"amount as text", link, payment.EventSuccessful, []string{"10000", `"10000"`}, false},
		{"amount in major units", link, payment.EventSuccessful, []string{"10000", "100.00"}, false},
		{"another currency", link, payment.EventSuccessful, []string{"ZAR", "USD"}, false},
		{"another text", link, payment.EventSuccessful, []string{"Product purchase", "Order 99"}, false},
		{"another method", link, payment.EventSuccessful, []string{`"type": "link"`, `"type": "push"`}, false},
		{"a payer", link, payment.EventSuccessful, []string{`"link": {`, `"push": {"provider":"capitec"}, "link": {`}, false},
		{"metadata", link, payment.EventSuccessful, []string{`"link": {`, `"metadata": {"order_id":"ORDER-2"}, "link": {`}, false},
		{"another expiry", link, payment.EventSuccessful, []string{"2025-06-17", "2025-06-18"}, false},
		{"a key in another case", link, payment.EventSuccessful, []string{`"link": {`, `"Amount": 1, "link": {`}, false},
		{"its event's id names an order", link, payment.EventSuccessful, []string{"evt_xyz987654321000001", "ORDER-2"}, false},
		{"another status", link, payment.EventFailed, nil, false},
		{"paid that says expired", link, payment.EventCancelled, []string{`"status": "paid"`, `"status": "expired"`}, false},
		{"expired", link, payment.EventCancelled, expired, true},
		{"expired, when our clock says so", link, payment.EventTimeout, expired, true},
		{"expired, when it failed", link, payment.EventFailed, expired, false},
		{"another event", link, payment.EventSuccessful, []string{eventType, `"type": "payment.succeeded"`}, false},
		{"status twice", link, payment.EventSuccessful, []string{`"status": "paid"`, `"status": "failed", "status": "paid"`}, false},
	} {
		raw := strings.NewReplacer(c.change...).Replace(honest)
		if len(c.change) > 0 && raw == honest {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		own, got := string(p.Native(c.pay, c.e, nil)), string(p.Native(c.pay, c.e, []byte(raw)))
		if want := map[bool]string{true: raw, false: own}[c.pass]; got != want {
			t.Errorf("%s:\n%s", c.name, got)
		}
	}
	if got := string(p.Native(link, payment.EventSuccessful, []byte(honest[1:]))); got == honest[1:] {
		t.Error("passed on what is no JSON")
	}
}

// sent is the contract's example about a payment without metadata: we give
// MomentPay none.
func sent(t testing.TB) string {
	t.Helper()
	before, rest, ok := strings.Cut(hook(t), `"metadata": {`)
	_, after, _ := strings.Cut(rest, "},")
	if !ok {
		t.Fatal("the example has no metadata")
	}
	return before + strings.TrimSpace(after)
}

// FuzzNative: what is passed on says nothing beyond what is known.
func FuzzNative(f *testing.F) {
	link := known()
	link.Amount.Minor = 10000
	link.IDs = map[string]string{"id": "pr_6phg74i4jG9wbzZbFDUQB", "payment_id": "p_42432fdsjdklfjh4523987", "checkout_session_id": "chk_G9wbzZbFDUQBFAE"}
	link.Instructions = map[string]string{"link": "https://links.momentpay.io/G9wbzZbFDUQBFAE"}
	link.PayerMessage, link.ExpiresAt = "Product purchase", time.Date(2025, 6, 17, 10, 30, 0, 0, time.UTC)
	f.Add([]byte(sent(f)))
	f.Add([]byte(strings.NewReplacer("payment_request.paid", "payment_request.updated", `"paid"`, `"expired"`).Replace(sent(f))))
	f.Add([]byte(hook(f)))
	p := receiver(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range []payment.Event{payment.EventSuccessful, payment.EventFailed, payment.EventCancelled, payment.EventTimeout} {
			if got := p.Native(link, e, raw); string(got) == string(raw) {
				providertest.CheckPassedOn(t, raw, link, "payment_request.paid", "payment_request.updated", "payment_link.updated", "paid", "expired", "failed", "link")
			}
		}
	})
}
