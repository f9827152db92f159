package mtn_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/payment"
)

func TestNative(t *testing.T) {
	t.Parallel()
	p := callbackParser(t)
	pay := newPayment()
	pay.PayerMessage, pay.PayeeNote, pay.Reason, pay.FinancialTransactionID = "", "", "APPROVAL_REJECTED", ""
	failed := `{"externalId":"` + pay.Reference + `","amount":"` + pay.Amount.Decimal() + `","currency":"` + pay.Amount.Currency +
		`","payer":{"partyIdType":"MSISDN","partyId":"` + string(pay.Payer) + `"},"status":"FAILED","reason":"APPROVAL_REJECTED"}`
	received := `{ "status":"FAILED", "externalId":"` + pay.Reference + `", "reason":{"code":"APPROVAL_REJECTED"} }`
	for _, c := range []struct {
		name  string
		event payment.Event
		raw   string
		want  string
	}{
		{"written when nothing came", payment.EventFailed, "", failed},
		{"passed on as it came", payment.EventFailed, received, received},
		{"not passed on when it says something else", payment.EventFailed, `{"status":"SUCCESSFUL","externalId":"` + pay.Reference + `"}`, failed},
		{"not passed on when it names another payment", payment.EventFailed, `{"status":"FAILED","externalId":"order-1"}`, failed},
		{"not passed on when it cannot be read", payment.EventFailed, `{"status":"FAILED"`, failed},
		{"no word for it", payment.EventInvoice, received, ""},
	} {
		if diff := cmp.Diff(c.want, string(p.Native(pay, c.event, []byte(c.raw)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
