package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A payment is found by whatever a person has in hand.
func TestPaymentFound(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		paid := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		failed := c.pay("ORDER-2", "failed_payer_limit_reached")
		transaction := c.Payment(paid).FinancialTransactionID
		if transaction == "" || c.Payment(failed).Open() {
			t.Fatal("they have not ended as meant")
		}
		for name, reference := range map[string]string{
			paid: paid, strings.ToUpper(paid): paid, "ORDER-1": paid, transaction: paid, "ORDER-2": failed,
		} {
			contains(t, name, c.must("payment", "show", name), "Payment "+reference)
			contains(t, name, c.must("audit", "show", "--payment", name), "OUTBOUND_TO_MTN")
		}
		for _, name := range []string{"ORDER-9", unknownReference} {
			if o := c.run("payment", "show", name); o.code != exitNotFound || o.out != "" {
				t.Errorf("%s: %+v", name, o)
			}
		}
		// Another app has an order of the same name, and the order that failed
		// is paid again.
		if a := c.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptSuccess)), "X-Proxy-Api-Key", testbed.OtherKey); a.StatusCode != 202 {
			t.Fatal(a.Body)
		}
		o := c.run("payment", "show", "ORDER-1")
		if o.code != exitRefused || o.out != "" {
			t.Errorf("%+v", o)
		}
		contains(t, "two of a name", o.err, "2 payments", paid, "cli_shop", "cli_other")
	})
}

func TestPaymentListFilters(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.pay("A-1", mtnstand.ScriptSuccess)
		failed := c.pay("A-2", "failed_payer_limit_reached")
		reason := c.Payment(failed).Reason
		payer := mtnstand.Payer(mtnstand.ScriptSuccess)
		for args, want := range map[string]string{
			"--payer " + payer:                         "A-1",
			"--payer +" + payer + " --client cli_shop": "A-1",
			"--payer " + payer + " --client cli_other": "",
			"--provider mtn":                           "A-2 A-1",
			"--provider momentpay":                     "",
			"--reason " + strings.ToLower(reason):      "A-2",
			"--ended-since 1m":                         "A-2",
			"--ended-since 1h":                         "A-2 A-1",
		} {
			if got := c.pages("payments", "externalId", append(strings.Fields("payment list "+args), "--limit", "1")...); strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", args, got, want)
			}
		}
		for _, args := range []string{"--payer 0768123456", "--payer x", "--provider mpesa", "--ended-since soon", "--attention --payer " + payer} {
			if o := c.run(strings.Fields("payment list " + args)...); o.code != exitUsage {
				t.Errorf("%s: %+v", args, o)
			}
		}
	})
}

func TestOutputs(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.pay("=HYPERLINK(1)", mtnstand.ScriptSuccess)
		csv := c.must("payment", "list", "-o", "csv")
		contains(t, "csv", csv, "REFERENCE,CREATED,CLIENT,ORDER,", ",'=HYPERLINK(1),", ",SUCCESSFUL,\n")
		if got := c.must("payment", "list", "-o", "json"); got != c.must("payment", "list", "--json") {
			t.Errorf("-o json is not --json: %s", got)
		}
		contains(t, "nothing", c.must("payment", "list", "--external-id", "X"), "No payments found.")
		if got := c.must("payment", "list", "--external-id", "X", "-o", "csv"); strings.Count(got, "\n") != 1 {
			t.Errorf("no payments as CSV: %q", got)
		}
		for args, want := range map[string]failure{
			"payment show ORDER-9 --json":                       {Code: "not_found", ExitCode: exitNotFound},
			"--json payment list --limit 0":                     {Code: "usage", ExitCode: exitUsage},
			"payment list --no-such-flag -o json":               {Code: "usage", ExitCode: exitUsage},
			"client show cli_nobody --output=json":              {Code: "not_found", ExitCode: exitNotFound},
			"delivery resend " + unknownReference + " 1 --json": {Code: "not_found", ExitCode: exitNotFound},
		} {
			o := c.run(strings.Fields(args)...)
			var got failure
			if err := json.Unmarshal([]byte(o.err), &got); err != nil || got.Error == "" || o.code != want.ExitCode {
				t.Errorf("%s: exit %d, %v in %q", args, o.code, err, o.err)
			}
			if got.Error = ""; got != want {
				t.Errorf("%s: %+v", args, got)
			}
		}
		for _, args := range []string{"status -o csv", "payment list -o xml", "payment list --json -o csv", "client create --name x -o csv"} {
			if o := c.run(strings.Fields(args)...); o.code != exitUsage {
				t.Errorf("%s: %+v", args, o)
			}
		}
		if n := len(c.object("client", "list")["clients"].([]any)); n != 2 {
			t.Errorf("%d clients: one was made before its answer was refused", n)
		}
	})
}

// --watch looks again until it is interrupted, which is no fault.
func TestWatch(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptPending)
		ctx, cancel := context.WithTimeout(t.Context(), 2*watchEvery+time.Millisecond)
		defer cancel()
		c.ctx = ctx
		o := c.run("payment", "show", reference, "--watch")
		if n := strings.Count(o.out, "Payment "+reference); n != 3 || o.code != exitOK || o.err != "" {
			t.Errorf("looked %d times: exit %d, %s", n, o.code, o.err)
		}
	})
}
