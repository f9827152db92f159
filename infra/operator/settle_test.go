package operator

import (
	"strings"
	"testing"

	"momoproxy/shared/payment"
)

// What a person says must be whole before anything is asked or written.
func TestSettlementCheck(t *testing.T) {
	long := strings.Repeat("a", payment.MaxReason+1)
	for name, c := range map[string]struct {
		in   Settlement
		want Fault
	}{
		"whole":                       {Settlement{Status: " failed ", Reason: "called off "}, NoFault},
		"a success with its id":       {Settlement{Status: "SUCCESSFUL", Reason: "on the statement", TransactionID: "4711"}, NoFault},
		"no ending":                   {Settlement{Status: "TIMEOUT", Reason: "late"}, BadStatus},
		"no reason":                   {Settlement{Status: "FAILED", Reason: " "}, NoReason},
		"two lines":                   {Settlement{Status: "FAILED", Reason: "a\nb"}, BadReason},
		"a long reason":               {Settlement{Status: "FAILED", Reason: long}, BadReason},
		"text that turns":             {Settlement{Status: "FAILED", Reason: "a", Seen: "paid\u202e"}, BadSeen},
		"a long id":                   {Settlement{Status: "SUCCESSFUL", Reason: "a", TransactionID: long}, BadTransactionID},
		"money of a failed payment":   {Settlement{Status: "FAILED", Reason: "a", TransactionID: "4711"}, LoneTransactionID},
		"money of a cancelled, in it": {Settlement{Status: "cancelled", Reason: "a", TransactionID: "4711"}, LoneTransactionID},
	} {
		if got := c.in.Check(); got != c.want {
			t.Errorf("%s: fault %d, want %d", name, got, c.want)
		}
		if c.want == NoFault && (c.in.Status != strings.ToUpper(c.in.Status) || c.in.Reason != strings.TrimSpace(c.in.Reason)) {
			t.Errorf("%s: %+v is not trimmed", name, c.in)
		}
	}
}

func TestRefundSettlementCheck(t *testing.T) {
	for name, c := range map[string]struct {
		in   RefundSettlement
		want Fault
	}{
		"whole":        {RefundSettlement{Status: " failed ", Reason: "not executed ", Seen: " no such line"}, NoFault},
		"no ending":    {RefundSettlement{Status: "UNKNOWN", Reason: "late"}, BadStatus},
		"no reason":    {RefundSettlement{Status: "FAILED", Reason: " "}, NoReason},
		"two lines":    {RefundSettlement{Status: "FAILED", Reason: "a\nb"}, BadReason},
		"seen in two":  {RefundSettlement{Status: "FAILED", Reason: "a", Seen: "a\nb"}, BadSeen},
		"a cancelled":  {RefundSettlement{Status: "CANCELLED", Reason: "a"}, BadStatus},
		"a long sight": {RefundSettlement{Status: "FAILED", Reason: "a", Seen: strings.Repeat("a", payment.MaxReason+1)}, BadSeen},
	} {
		if got := c.in.Check(); got != c.want {
			t.Errorf("%s: fault %d, want %d", name, got, c.want)
		}
		if c.want == NoFault && (c.in.Status != "FAILED" || c.in.Reason != "not executed" || c.in.Seen != "no such line") {
			t.Errorf("%s: %+v is not trimmed", name, c.in)
		}
	}
}
