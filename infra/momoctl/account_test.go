package main

import (
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// An operator sees the accounts, tries them, and says which gets new payments.
func TestAccounts(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		contains(t, "list", c.must("account", "list"), "mtn", "mom-factura", "momentpay", "the rest", "https://mtn.example.com")
		one, other := c.Pay(testbed.Order("ORDER-1", mtnstand.Payer(mtnstand.ScriptPending))).Reference(), "3f0c1f0a-6a52-4d0e-8d5e-0a1b2c3d4e5f"
		gone := c.Payment(one)
		gone.Reference, gone.ExternalID, gone.Account = other, "ORDER-2", "mtn-gone"
		if _, err := c.Ledger.Create(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		c.Pay(testbed.Order("ORDER-3", mtnstand.Payer(mtnstand.ScriptSuccess)))
		c.Pass(time.Hour)
		contains(t, "open", c.must("account", "list"), "OPEN", "mtn-gone", "NOT CONFIGURED: its payments wait")
		contains(t, "open in JSON", c.must("account", "list", "--json"), `"openPayments": 1`, `"openPayments": 0`, `"missing": true`)
		contains(t, "a spreadsheet", c.must("account", "list", "-o", "csv"), "ACCOUNT,PROVIDER,CURRENCY", "mtn,mtn,SZL")
		contains(t, "check", c.must("account", "check"), "CREDENTIALS", "answer")
		contains(t, "set", c.must("account", "set", "mtn", "--new-payments", "10"), "10 %")
		contains(t, "in JSON", c.must("account", "list", "--json"), `"newPaymentsPercent": 10`, `"newPaymentsPercent": null`)
		contains(t, "trail", c.must("audit", "show", "--provider", time.Now().UTC().Format("2006-01-02T15:04")), "OPERATOR account/mtn", "10 percent of the new payments")
		for _, args := range [][]string{{"account", "set", "mtn"}, {"account", "set", "mtn", "--new-payments", "101"}} {
			if o := c.run(args...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.run("account", "set", "visa", "--new-payments", "1"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}
