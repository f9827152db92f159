package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A payment in earnest is made after a typed yes alone, followed to its
// callback, and reported without anything that names it.
func TestLivePayment(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		file := filepath.Join(t.TempDir(), "report.md")
		pay := func(typed, script string) outcome {
			return c.typed(typed, "doctor", "--live-payment", mtnstand.Payer(script), "--amount", "1.00", "--client", "cli_shop", "--account", "mtn", "--report", file)
		}
		if o := pay("no\n", mtnstand.ScriptSuccess); o.code != exitRefused || !strings.Contains(o.err, "not confirmed") || len(c.Sandbox.Ledger()) != 0 {
			t.Errorf("%+v", o)
		}
		o := pay("yes\n", mtnstand.ScriptSuccess)
		if o.code != exitOK {
			t.Fatalf("%+v", o)
		}
		golden(t, "doctor-live", outcome{code: o.code, out: paths.ReplaceAllString(o.out, "NAME"), err: paths.ReplaceAllString(o.err, "NAME")})
		report, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "doctor-live-report", outcome{out: string(report)})
		made := c.Sandbox.Ledger()[0]
		for _, id := range []string{made.Reference, mtnstand.Payer(mtnstand.ScriptSuccess), testbed.MTNKey, testbed.MTNUser, c.Payment(made.Reference).FinancialTransactionID, c.Payment(made.Reference).ExternalID} {
			if id == "" || strings.Contains(string(report), id) {
				t.Errorf("the report names %q", id)
			}
		}
		// One that does not end is followed for ten minutes. Nothing asks here but
		// the callback, which is lost.
		if o := pay("yes\n", "callback_lost"); o.code != exitRefused || !strings.Contains(o.err, "the payment is PENDING") || !strings.Contains(o.out, "no callback came") {
			t.Errorf("%+v", o)
		}
		for _, args := range [][]string{
			{"--live-payment", "76123456x", "--amount", "1.00", "--client", "cli_shop"}, {"--live-payment", "26876123456", "--client", "cli_shop"},
			{"--live-payment", "26876123456", "--amount", "1.00", "--client", "cli_shop"}, // which account?
		} {
			if o := c.run(append([]string{"doctor"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.typed("yes\n", "doctor", "--live-payment", "26876123456", "--amount", "1.005", "--client", "cli_shop", "--account", "mtn"); o.code != exitRefused || !strings.Contains(o.err, "no payment was made: invalid; amount") {
			t.Errorf("%+v", o)
		}
	})
}
