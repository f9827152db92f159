package main

import (
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/refund"
)

const (
	refundA = "3f1d7a52-8b0e-4f6c-9a57-0c2f8d1e7b11"
	refundB = "3f1d7a52-8b0e-4f6c-9a57-0c2f8d1e7b12"
)

// refundAt reads a refund as stored.
func (c *console) refundAt(reference, id string) ledger.Refund {
	c.t.Helper()
	f, err := c.Ledger.Refund(c.t.Context(), reference, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// unknown is a payment with a refund that MTN's answer was lost of, and that MTN
// does not know.
func (c *console) unknown(order string) (reference string) {
	c.t.Helper()
	reference = c.pay(order, mtnstand.ScriptSuccess)
	if err := c.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRefund, Fault: core.Error500Before, Times: 1}); err != nil {
		c.t.Fatal(err)
	}
	c.must("refund", "request", reference, "--refund-id", refundA, "--reason", "it came back", "--yes")
	c.Pass(2 * time.Minute)
	if f := c.refundAt(reference, refundA); f.Status != refund.Unknown {
		c.t.Fatalf("it is %s", f.Status)
	}
	return reference
}

// The tool stores a refund and asks nobody: the reconciler sends it, once.
func TestRefundRequest(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		request := []string{"refund", "request", reference, "--refund-id", refundA, "--amount", "50.00", "--reason", "one shirt came back"}
		o := c.typed("no\n", request...)
		if o.code != exitRefused || c.Payment(reference).Refunds.Count != 0 {
			t.Errorf("%+v", o)
		}
		contains(t, "the question", o.err, "ORDER-1", "150.00 SZL", "50.00 SZL is to be given back to the payer by mtn's refund call")
		o = c.typed("yes\n", request...)
		golden(t, "refund-request", o)
		if n := len(c.Sandbox.Payouts()); n != 0 {
			t.Fatalf("momoctl itself asked MTN %d times", n)
		}
		contains(t, "again", c.must(request...), "is PENDING") // without a question
		if o := c.run("refund", "request", reference, "--refund-id", refundA, "--amount", "60.00", "--reason", "another", "--yes"); o.code != exitRefused || !strings.Contains(o.err, "another refund of this id") {
			t.Errorf("%+v", o)
		}
		if o := c.run("refund", "request", reference, "--reason", "a second one"); o.code != exitRefused || !strings.Contains(o.err, refundA+" of the payment has not ended") {
			t.Errorf("%+v", o)
		}
		c.Pass(5 * time.Minute)
		if f, paid := c.refundAt(reference, refundA), c.Sandbox.Payouts(); f.Status != refund.Successful || f.Operator != "thandi" || len(paid) != 1 {
			t.Errorf("%+v, %v", f, paid)
		}
		if got := c.App.About(reference); len(got) != 2 || !strings.Contains(got[1].Body, `"refund.successful"`) {
			t.Errorf("the app got %v", got)
		}
		if o := c.run("refund", "request", reference, "--amount", "100.01", "--reason", "too much", "--yes"); o.code != exitRefused || !strings.Contains(o.err, "100.00 SZL is left") {
			t.Errorf("%+v", o)
		}
		contains(t, "transfer", c.must("refund", "request", reference, "--transfer", "--refund-id", refundB, "--reason", "the rest", "--yes"), "100.00 SZL of 150.00 SZL, by a transfer of mtn to the payer")
		c.Pass(5 * time.Minute)
		if p := c.Payment(reference); p.Refunds != (payment.Refunds{Reserved: 15_000, Count: 2}) || len(c.Sandbox.Payouts()) != 2 {
			t.Errorf("%+v, %v", p.Refunds, c.Sandbox.Payouts())
		}
		contains(t, "audit", c.must("audit", "show", "--payment", reference), "operator thandi: one shirt came back", "operator thandi: the rest")
		golden(t, "payment-show-refunds", c.run("payment", "show", reference))
		v := c.object("payment", "show", reference)
		if refunds := v["refunds"].([]any); len(refunds) != 2 || v["payment"].(map[string]any)["refundedAmount"] != "150.00" {
			t.Errorf("%v", v)
		}
	})
}

func TestRefundSettle(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.unknown("ORDER-1")
		settle := []string{"refund", "settle", reference, refundA, "--reason", "MTN did not execute it", "--status"}
		if o := c.run(append(settle, "failed", "--yes")...); o.code != exitRefused || !strings.Contains(o.err, "may still be on its way; it can be settled from 2000-01-01 00:1") {
			t.Errorf("at once: %+v", o)
		}
		time.Sleep(refund.Grace)
		golden(t, "refund-list", c.run("refund", "list"))
		golden(t, "refund-list-json", c.run("refund", "list", "--json"))
		contains(t, "of the client", c.must("refund", "list", "--client", "cli_shop", "-o", "csv"), reference+","+refundA)
		contains(t, "of another", c.must("refund", "list", "--client", "cli_other"), "No refunds found.")

		// What may have been executed is called failed only by who has looked.
		o := c.run(append(settle, "failed", "--yes")...)
		if o.code != exitRefused || c.refundAt(reference, refundA).Status != refund.Unknown {
			t.Errorf("not looked up: %+v", o)
		}
		contains(t, "the refusal", o.err, c.refundAt(reference, refundA).Reference, "--seen")
		contains(t, "show", c.must("payment", "show", reference), refundA+"  UNKNOWN", "; see momoctl refund settle")
		settle = append(settle, "failed", "--seen", "no such line on the statement")
		for _, answer := range []string{"", "no\n", "y\n", "yes"} {
			o := c.typed(answer, settle...)
			if o.code != exitRefused || !strings.Contains(o.err, "not confirmed") || o.out != "" {
				t.Errorf("answered %q: %+v", answer, o)
			}
		}
		if f := c.refundAt(reference, refundA); f.Status != refund.Unknown {
			t.Fatalf("unconfirmed, and it is %s", f.Status)
		}
		golden(t, "refund-settle", c.typed("yes\n", settle...))
		c.Pass(10 * time.Second)
		if got := c.App.About(reference); len(got) != 2 || !strings.Contains(got[1].Body, `"refund.failed"`) || strings.Contains(got[1].Body, "no such line") {
			t.Errorf("the app got %v", got)
		}
		if p := c.Payment(reference); p.Refunds != (payment.Refunds{Count: 1}) {
			t.Errorf("%+v", p.Refunds)
		}
		contains(t, "audit", c.must("audit", "show", "--payment", reference), "operator thandi: MTN did not execute it",
			"operator thandi: the portal shows of refund "+refundA+": no such line on the statement")
		contains(t, "list", c.must("refund", "list"), "No refunds found.")
		contains(t, "verify", c.must("audit", "verify"), "1 payment replayed: 1 follow")

		// Again is nothing new; otherwise is refused.
		contains(t, "again", c.must(settle...), "Nothing to do")
		if o := c.run("refund", "settle", reference, refundA, "--status", "SUCCESSFUL", "--reason", "changed my mind", "--yes"); o.code != exitRefused || !strings.Contains(o.err, "ended as FAILED") {
			t.Errorf("otherwise: %+v", o)
		}
	})
}

// What was never sent is called off without a look, and nothing else of it can
// be said. What the provider works on is its own to end for a day.
func TestRefundSettleByState(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		c.must("refund", "request", reference, "--refund-id", refundA, "--reason", "a mistake", "--yes")
		settle := func(id, status string, more ...string) outcome {
			return c.run(append([]string{"refund", "settle", reference, id, "--status", status, "--reason", "on the statement", "--yes"}, more...)...)
		}
		if o := settle(refundA, "SUCCESSFUL"); o.code != exitRefused || !strings.Contains(o.err, "it was never sent") {
			t.Errorf("%+v", o)
		}
		if o := settle(refundA, "FAILED"); o.code != exitOK || !strings.Contains(o.out, "is FAILED") {
			t.Errorf("%+v", o)
		}
		c.Pass(3 * time.Minute)
		if paid := c.Sandbox.Payouts(); len(paid) != 0 {
			t.Fatalf("called off, and sent: %v", paid)
		}
		if err := c.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteRefund, Outcome: mtnstand.ScriptPending}); err != nil {
			t.Fatal(err)
		}
		c.must("refund", "request", reference, "--refund-id", refundB, "--reason", "it came back", "--yes")
		c.Pass(time.Hour)
		if o := settle(refundB, "SUCCESSFUL"); o.code != exitRefused || !strings.Contains(o.err, "can be settled from 2000-01-02 00:0") {
			t.Errorf("%+v", o)
		}
		c.Pass(25 * time.Hour)
		contains(t, "stuck", c.must("refund", "list"), refundB, "SUBMITTED stuck")
		if o := settle(refundB, "successful"); o.code != exitOK || !strings.Contains(o.out, "is SUCCESSFUL") || !strings.Contains(o.out, "by operator") {
			t.Errorf("%+v", o)
		}
		for _, args := range [][]string{
			{reference, "x", "--status", "FAILED", "--reason", "r"}, {reference, refundA, "--status", "PENDING", "--reason", "r"},
			{reference, refundA, "--status", "FAILED"}, {"x", refundA, "--status", "FAILED", "--reason", "r"},
			{reference, refundA, "--status", "FAILED", "--reason", "r", "--seen", "a\nb"},
		} {
			if o := c.run(append([]string{"refund", "settle"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := settle(refundA[:35]+"f", "FAILED"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}

// Where the provider has no refund call a person gives the money back and books
// it. The app gets the event, and the sum never exceeds what was paid.
func TestRefundRecord(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.Pay(`{"provider":"momentpay","amount":"150.00","externalId":"ORDER-1"}`).Reference()
		if o := c.run("refund", "record", reference, "--reason", "too early"); o.code != exitRefused || !strings.Contains(o.err, "it is PENDING") {
			t.Errorf("%+v", o)
		}
		c.must("payment", "settle", reference, "--status", "SUCCESSFUL", "--reason", "on the statement", "--yes")
		no := c.run("refund", "request", reference, "--reason", "it came back", "--yes")
		if no.code != exitRefused || !strings.Contains(no.err, "has no refund call") || !strings.Contains(no.err, "momoctl refund record "+reference) {
			t.Errorf("%+v", no)
		}
		record := []string{"refund", "record", reference, "--refund-id", refundA, "--amount", "50.00", "--reason", "given back in the portal, line 4711"}
		if o := c.typed("no\n", record...); o.code != exitRefused || c.Payment(reference).Refunds.Count != 0 {
			t.Errorf("%+v", o)
		}
		golden(t, "refund-record", c.typed("yes\n", record...))
		contains(t, "again", c.must(record...), "is SUCCESSFUL")
		c.Pass(10 * time.Second)
		if got := c.App.About(reference); len(got) < 2 || !strings.Contains(got[len(got)-1].Body, `"refund.successful"`) {
			t.Errorf("the app got %v", got)
		}
		if p := c.Payment(reference); p.Refunds.Reserved != 5_000 || p.Refunds.Count != 1 {
			t.Errorf("%+v", p.Refunds)
		}
		if o := c.run("refund", "record", reference, "--amount", "100000", "--reason", "too much", "--yes"); o.code != exitRefused {
			t.Errorf("%+v", o)
		}
		contains(t, "audit", c.must("audit", "show", "--payment", reference), "operator thandi: given back in the portal, line 4711")
		for _, args := range [][]string{{reference}, {reference, "--reason", " "}, {"x", "--reason", "r"}, {reference, "--reason", "r", "--refund-id", "x"}, {reference, "--reason", "r", "--amount", "fifty", "--yes"}} {
			if o := c.run(append([]string{"refund", "record"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
	})
}

// An order is paid twice when an ending is corrected. One command lists it, one
// has one of the two payments given back, and never both.
func TestPaidTwice(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		pay := func() string {
			return c.Pay(testbed.Order("TWICE", mtnstand.Payer(mtnstand.ScriptPending))).Reference()
		}
		once := c.pay("ONCE", mtnstand.ScriptSuccess)
		first := pay()
		c.Pass(26 * time.Hour)
		second := pay()
		for _, ref := range []string{second, first} {
			if err := c.Sandbox.SetOutcome(ref, core.Approve, "", true); err != nil {
				t.Fatal(err)
			}
			c.Pass(10 * time.Hour)
		}
		golden(t, "paid-twice", c.run("payment", "paid-twice"))
		v := c.object("payment", "paid-twice")["orders"].([]any)
		if len(v) != 1 || v[0].(map[string]any)["giveBack"] != first { // its money came last
			t.Errorf("%v", v)
		}
		contains(t, "of the last hour", c.must("payment", "paid-twice", "--since", "1h"), "No orders paid twice found.")
		contains(t, "of another", c.must("payment", "paid-twice", "--client", "cli_other"), "No orders paid twice found.")
		if o := c.run("payment", "paid-twice", "--refund", once, "--yes"); o.code != exitRefused || !strings.Contains(o.err, "order ONCE of cli_shop is not paid twice") {
			t.Errorf("%+v", o)
		}
		if o := c.typed("no\n", "payment", "paid-twice", "--refund", first); o.code != exitRefused || !strings.Contains(o.err, "payment "+second+" of 150.00 SZL") {
			t.Errorf("%+v", o)
		}
		contains(t, "refund", c.must("payment", "paid-twice", "--refund", first, "--yes"), "is PENDING", "150.00 SZL of 150.00 SZL", "payment "+second+" stays")
		contains(t, "afterwards", c.must("payment", "paid-twice"), "No orders paid twice found.")
		for _, ref := range []string{first, second} {
			if o := c.run("payment", "paid-twice", "--refund", ref, "--yes"); o.code != exitRefused || !strings.Contains(o.err, "given back or about to be") {
				t.Errorf("%+v", o)
			}
		}
		c.Pass(5 * time.Minute)
		if paid := c.Sandbox.Payouts(); len(paid) != 1 || c.Payment(second).Refunds.Count != 0 || c.Payment(first).Refunds.Reserved != 15_000 {
			t.Errorf("MTN gave back %v", paid)
		}
		for _, args := range [][]string{{"--refund", "x"}, {"--refund", ""}, {"--refund", first, "--client", "cli_shop"}, {"--since", "noon"}} {
			if o := c.run(append([]string{"payment", "paid-twice"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
	})
}
