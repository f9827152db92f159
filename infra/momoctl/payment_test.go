package main

import (
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/payment"
	"momoproxy/shared/webhook"
)

func TestPaymentShow(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		out := c.must("payment", "show", strings.ToUpper(reference))
		contains(t, "show", out, reference+" is SUCCESSFUL", "ORDER-1 of cli_shop", "150.00 SZL", "by status", "payment.successful",
			"delivered, 1 attempt", "INBOUND_FROM_APP  POST /request-to-pay -> accepted awaiting_payer", "OUTBOUND_TO_MTN", "INBOUND_FROM_MTN", "automatic attempt 1 -> 200")
		if payer := string(c.Payment(reference).Payer); strings.Contains(out, payer) {
			t.Errorf("the payer %s is shown", payer)
		}
		// In time order.
		last := ""
		_, lines, _ := strings.Cut(out, "Timeline, UTC\n")
		for line := range strings.Lines(lines) {
			if at := line[:25]; at < last {
				t.Errorf("%q comes after %q", line, last)
			} else {
				last = at
			}
		}

		v := c.object("payment", "show", reference)
		p := v["payment"].(map[string]any)
		if p["status"] != "SUCCESSFUL" || p["amount"] != "150.00" || p["payer"] != string(c.Payment(reference).Payer) {
			t.Errorf("%v", p)
		}
		d := v["deliveries"].([]any)[0].(map[string]any)
		if d["state"] != "delivered" || d["body"].(map[string]any)["referenceId"] != reference {
			t.Errorf("%v", d)
		}
		if len(v["attempts"].([]any)) != 1 || len(v["auditTrail"].([]any)) != len(c.Trail(reference)) {
			t.Errorf("%v", v)
		}
	})
}

// A flood of forged callbacks and a long life do not hide the evidence.
func TestPaymentShowKeepsToTheEvidence(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptPending)
		for range 4_000 {
			c.CallBack("POST", "", `{"externalId":"ORDER-1","status":"FAILED"}`)
			time.Sleep(time.Second)
		}
		for range 200 {
			c.CallBack("POST", c.CallbackPath(reference), `{"status":"PENDING"}`)
			time.Sleep(10 * time.Second)
		}
		out := c.must("payment", "show", reference)
		if n := strings.Count(out, "\n"); n > 110 {
			t.Errorf("%d lines", n)
		}
		contains(t, "show", out, "INBOUND_FROM_APP  POST /request-to-pay -> accepted awaiting_payer", " more: momoctl audit show --payment "+reference,
			"callbacks that anybody may have sent: momoctl audit show --payment "+reference)
		if _, trail, _ := strings.Cut(out, "Timeline"); strings.Contains(trail, "POST /callback ") {
			t.Error("what anybody may have sent stands among the evidence")
		}
		contains(t, "audit", c.must("audit", "show", "--payment", reference, "--limit", "500"), "anybody may have sent it")
	})
}

// What others have sent must not steer the operator's terminal.
func TestOutputSteersNoTerminal(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.App.Answer(func(int, testbed.Received) webhook.Result {
			return webhook.Result{Code: 200, Excerpt: "\x1b[2Jgone \u009b2J"}
		})
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		for _, args := range [][]string{{"payment", "show", reference}, {"payment", "show", reference, "--json"}, {"client", "show", "\x1b[2J"}} {
			o := c.run(args...)
			for _, r := range o.out + o.err {
				if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
					t.Errorf("momoctl %q prints %q", args, r)
				}
			}
		}
	})
}

func TestSettle(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.held("ORDER-1")
		settle := []string{"payment", "settle", reference, "--status", "SUCCESSFUL", "--reason", "on the statement of 1 September", "--financial-transaction-id", "4711"}
		for _, answer := range []string{"", "no\n", "y\n", "yes"} {
			o := c.typed(answer, settle...)
			if o.code != exitRefused || !strings.Contains(o.err, "not confirmed") || o.out != "" {
				t.Errorf("answered %q: %+v", answer, o)
			}
			contains(t, "the question", o.err, reference, "held", "150.00 SZL", "SUCCESSFUL")
		}
		if p := c.Payment(reference); p.Phase != payment.PhaseHeld {
			t.Fatalf("unconfirmed, and it is %s %s", p.Status, p.Phase)
		}
		o := c.typed("yes\n", settle...)
		if o.code != exitOK {
			t.Fatalf("%+v", o)
		}
		contains(t, "settle", o.out, "is SUCCESSFUL", "by operator", "4711")
		c.Pass(10 * time.Second)
		if n := len(c.App.About(reference)); n != 1 {
			t.Errorf("the app was told %d times", n)
		}
		contains(t, "timeline", c.must("payment", "show", reference), "OPERATOR settle; operator thandi: on the statement of 1 September")

		// Again is nothing new; otherwise is refused.
		contains(t, "again", c.must(settle...), "Nothing to do")
		o = c.run("payment", "settle", reference, "--status", "FAILED", "--reason", "changed my mind", "--yes")
		if o.code != exitRefused || !strings.Contains(o.err, "it is SUCCESSFUL") {
			t.Errorf("otherwise: %+v", o)
		}
	})
}

func TestSettleOpenPayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptPending)
		o := c.typed("yes\n", "payment", "settle", reference, "--status", "CANCELLED", "--reason", "the shop called it off", "--json")
		if o.code != exitOK || !strings.Contains(o.out, `"status": "CANCELLED"`) {
			t.Errorf("%+v", o)
		}
		contains(t, "the question", o.err, "It is not held")
		c.Pass(10 * time.Second)
		contains(t, "callback", c.App.About(reference)[0].Body, `"reason":"the shop called it off"`)
	})
}

func TestResend(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		down := true
		c.App.Answer(func(int, testbed.Received) webhook.Result {
			if down {
				return webhook.Result{Code: 503, Control: "abort-message"}
			}
			return webhook.Result{Code: 200}
		})
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		state := func() delivery.State { return c.Story(reference).Deliveries[0].State }
		if state() != delivery.Exhausted {
			t.Fatalf("it is %s", state())
		}
		down = false
		contains(t, "resend", c.must("delivery", "resend", reference, "1"), "is due now")
		c.Pass(5 * time.Second) // the doorbell, not the sweeper
		if state() != delivery.Delivered {
			t.Fatalf("it is %s", state())
		}
		if v := c.object("delivery", "resend", reference, "1"); v["state"] != "delivered" {
			t.Errorf("%v", v)
		}
		c.Pass(5 * time.Second)
		got := c.App.About(reference)
		if len(got) != 3 || state() != delivery.Delivered {
			t.Fatalf("%d callbacks, it is %s", len(got), state())
		}
		for _, again := range got[1:] {
			if again.EventID != got[0].EventID || again.Body != got[0].Body {
				t.Errorf("another event: %v", again)
			}
		}
		contains(t, "timeline", c.must("payment", "show", reference), "OPERATOR resend; operator thandi: event 1, it was exhausted", "it was delivered", "manual attempt 3 -> 200")
		if o := c.run("delivery", "resend", reference, "2"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}

func TestResendUnderway(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		d := c.Story(reference).Deliveries[0]
		if _, err := c.Ledger.SaveDelivery(t.Context(), d.Claim(time.Now().Add(30*time.Second))); err != nil {
			t.Fatal(err)
		}
		if o := c.run("delivery", "resend", reference, "1"); o.code != exitRefused || !strings.Contains(o.err, "goes on by itself") {
			t.Errorf("%+v", o)
		}
	})
}

// What would be held again at once is not sent, and what it lacks is said.
func TestResendRefusesWhatWouldBeHeld(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.must("client", "set-callback-url", "cli_shop", "")
		time.Sleep(11 * time.Second)
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		if d := c.Story(reference).Deliveries[0]; d.State != delivery.Held {
			t.Fatalf("it is %s", d.State)
		}
		o := c.run("delivery", "resend", reference, "1")
		if o.code != exitRefused || o.out != "" {
			t.Errorf("%+v", o)
		}
		contains(t, "the refusal", o.err, "no callback URL", "set-callback-url cli_shop URL")
		if d := c.Story(reference).Deliveries[0]; d.State != delivery.Held {
			t.Errorf("it is %s", d.State)
		}
		c.must("client", "set-callback-url", "cli_shop", testbed.ShopURL)
		c.must("delivery", "resend", reference, "1")
		c.Pass(15 * time.Second)
		if d := c.Story(reference).Deliveries[0]; d.State != delivery.Delivered {
			t.Errorf("it is %s", d.State)
		}
	})
}
