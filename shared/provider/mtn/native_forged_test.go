package mtn_test

import (
	"strings"
	"testing"

	"momoproxy/shared/payment"
	"momoproxy/shared/provider/providertest"
)

// settled is a payment of which everything is known, and what MTN sends about
// it.
func settled() (payment.Payment, string) {
	p := newPayment()
	p.ExternalID, p.PayerMessage, p.PayeeNote, p.FinancialTransactionID = "ORDER-1", "Lunch", "Table 7", "600198217"
	return p, `{"financialTransactionId":"600198217","externalId":"` + p.Reference + `","amount":"` + p.Amount.Decimal() + `","currency":"` + p.Amount.Currency +
		`","payer":{"partyIdType":"MSISDN","partyId":"` + string(p.Payer) + `"},"payerMessage":"Lunch","payeeNote":"Table 7","status":"SUCCESSFUL"}`
}

// TestNativeIsNotForged: a sender who knows the callback's address adds to a true
// success what the app would act on. None of it goes out.
func TestNativeIsNotForged(t *testing.T) {
	t.Parallel()
	p := callbackParser(t)
	pay, honest := settled()
	amount := `"` + pay.Amount.Decimal() + `"`
	written := string(p.Native(pay, payment.EventSuccessful, nil))
	for _, c := range []struct {
		name, old, new string
		passed         bool
	}{
		{"as it came", "", "", true},
		{"amount normalised", amount, `"` + strings.TrimRight(strings.TrimRight(pay.Amount.Decimal(), "0"), ".") + `"`, true},
		{"no amount", `"amount":` + amount + `,`, "", true},
		{"null", `"Table 7"`, "null", true},
		{"another amount", amount, `"100000"`, false},
		{"amount as a number", amount, pay.Amount.Decimal(), false},
		{"amount with an exponent", amount, `"1e2"`, false},
		{"another currency", pay.Amount.Currency, "USD", false},
		{"currency in lower case", pay.Amount.Currency, strings.ToLower(pay.Amount.Currency), false},
		{"another payer", string(pay.Payer), "999", false},
		{"payer with its plus", string(pay.Payer), "+" + string(pay.Payer), false},
		{"another kind of payer", "MSISDN", "EMAIL", false},
		{"payer as text", `{"partyIdType":"MSISDN","partyId":"` + string(pay.Payer) + `"}`, `"` + string(pay.Payer) + `"`, false},
		{"payer says more", `"partyIdType"`, `"name":"X","partyIdType"`, false},
		{"payer twice", `"partyId":`, `"partyId":"999","partyId":`, false},
		{"another transaction", "600198217", "1", false},
		{"transaction as a number", `"600198217"`, "600198217", false},
		{"another message", "Lunch", "Order 99 is paid", false},
		{"reference with a space", pay.Reference, pay.Reference + " ", false},
		{"reference in upper case", pay.Reference, strings.ToUpper(pay.Reference), false},
		{"another key's case", `{"fin`, `{"ExternalId":"ORDER-2","fin`, false},
		{"the app's order", `{"fin`, `{"referenceId":"ORDER-2","fin`, false},
		{"amount twice", `{"fin`, `{"amount":"100000","fin`, false},
		{"a reason", `{"fin`, `{"reason":"ORDER-2","fin`, false},
		{"byte order mark", `{"fin`, "\xef\xbb\xbf" + `{"fin`, false},
		{"not UTF-8", "Lunch", "Lunch\xff", false},
		{"two objects", `"SUCCESSFUL"}`, `"SUCCESSFUL"}{}`, false},
	} {
		raw := strings.Replace(honest, c.old, c.new, 1)
		if c.old != "" && raw == honest {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		want := map[bool]string{true: raw, false: written}[c.passed]
		if got := string(p.Native(pay, payment.EventSuccessful, []byte(raw))); got != want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// FuzzNative: what is passed on says nothing beyond what is known.
func FuzzNative(f *testing.F) {
	pay, honest := settled()
	pay.Reason = "APPROVAL_REJECTED"
	f.Add([]byte(honest))
	f.Add([]byte(strings.Replace(honest, `"SUCCESSFUL"`, `"FAILED","reason":{"code":"APPROVAL_REJECTED"}`, 1)))
	f.Add([]byte(`{"externalId":"` + pay.Reference + `","status":"SUCCESSFUL","Amount":"1","payer":{"partyId":"9"}}`))
	p := callbackParser(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, e := range []payment.Event{payment.EventSuccessful, payment.EventFailed, payment.EventCancelled, payment.EventTimeout} {
			if got := p.Native(pay, e, raw); string(got) == string(raw) {
				providertest.CheckPassedOn(t, raw, pay, "SUCCESSFUL", "FAILED", "EXPIRED", "MSISDN")
			}
		}
	})
}
