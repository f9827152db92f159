package main

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
)

func TestToldOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"amount":"100.00","currency":"SZL","payer":{"partyIdType":"MSISDN","partyId":"26876123456"},"status":"SUCCESSFUL","payerMessage":"hi"}`: "amount 100.00, currency SZL, partyId 268******56, status SUCCESSFUL",
		`{"payer":{"partyId":"26876999956"},"reason":{"code":"X"}}`:                                                                               "partyId 268******56 (another)",
		`{"data":{"amount":12345,"push":{"capitec":{"phone_number":"+27821234567"}}}}`:                                                            "amount 12345, phone_number 278******67 (another)",
		`{"hello":"you"}`: "neither amount, currency, payer nor status",
		`<html>`:          "what cannot be read here; --json has it",
		``:                "what cannot be read here; --json has it",
	} {
		if got := toldOf(body, "26876123456"); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// An operator who decides about a held payment sees what it is about, and what the
// provider says once it contradicts itself.
func TestPaymentShowHeld(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.held("ORDER-1")
		asked := c.typed("no\n", "payment", "settle", reference, "--status", "FAILED", "--reason", "another amount")
		contains(t, "the question of settle", asked.err, "asked for   amount 150.00 SZL, payer 268******", "told        amount ")
		out := c.must("payment", "show", reference)
		contains(t, "show", out, "asked for   amount 150.00 SZL, payer 268******", "told        amount ")
		if strings.Contains(out, "told last") {
			t.Error(out)
		}
		p := ledger.Payment{Payment: payment.Payment{Phase: payment.PhaseHeld, Provider: "momentpay", Amount: payment.Money{Minor: 100, Currency: "ZAR"}}}
		var printed text
		describeQuarrel(&printed, p, []ledger.AuditRecord{
			{At: time.Unix(0, 0), Direction: ledger.InboundFromProvider, RequestBody: `{"amount":1}`, ResponseBody: `{"ok":true}`, Note: "evidence_mismatch"},
			{At: time.Unix(60, 0), Direction: ledger.OutboundToProvider, ResponseBody: `{"amount":2}`, Note: "evidence_mismatch"},
			{At: time.Unix(90, 0), Direction: ledger.OutboundToProvider, ResponseBody: `{"amount":3}`},
		})
		contains(t, "the quarrel", printed.b.String(), "1.00 ZAR (100 in minor units",
			"told        amount 1, at 1970-01-01 00:00:00", "told last   amount 2, at 1970-01-01 00:01:00")
	})
}
