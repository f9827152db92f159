package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/standin/core"
	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/table"
)

// Every plan of the stand-in gives a payment that follows from its evidence.
func TestAuditVerify(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for i, plan := range []string{
			mtnstand.ScriptSuccess, mtnstand.ScriptPending, "failed_payer_limit_reached", "failed_approval_rejected", "status_wrong_amount", "failed_expired",
		} {
			c.pay(plan+strings.Repeat("x", i), plan)
		}
		// A token that MTN does not know any more: the one fetched in its place
		// stands in the trail as "[token]".
		if err := c.Sandbox.AddRule(core.Rule{Route: mtnstand.RouteStatus, Fault: core.Error401Before, Times: 1}); err != nil {
			t.Fatal(err)
		}
		c.pay("ORDER-8", mtnstand.ScriptSuccess)
		settled := c.held("ORDER-9")
		c.must("payment", "settle", settled, "--status", "SUCCESSFUL", "--reason", "on the statement", "--financial-transaction-id", "4711", "--yes")
		c.Pass(25 * time.Hour) // the open one ends by our clock
		v := c.object("audit", "verify")
		if v["checked"] != 8.0 || v["follow"] != 8.0 || len(v["faults"].([]any)) != 0 {
			t.Errorf("%v", v)
		}
	})
}

// A payment that was changed behind its evidence is reported.
func TestAuditVerifyFinds(t *testing.T) {
	for name, change := range map[string]func(attributes map[string]any){
		"another status":      func(a map[string]any) { a["status"] = "SUCCESSFUL" },
		"another reason":      func(a map[string]any) { a["failure_reason"] = "EXPIRED" },
		"another transaction": func(a map[string]any) { a["financial_tx_id"] = "4711" },
		"held":                func(a map[string]any) { a["phase"] = "held" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
				c.pay("ORDER-1", mtnstand.ScriptSuccess)
				reference := c.pay("ORDER-2", "failed_payer_limit_reached")
				rec, err := c.Table.Get(context.Background(), table.Key{Space: table.Main, Partition: "payment#" + reference, Sort: "payment"})
				if err != nil {
					t.Fatal(err)
				}
				change(rec.Attributes)
				if err := c.Table.Write(context.Background(), table.Put(rec)); err != nil {
					t.Fatal(err)
				}
				o := c.run("audit", "verify")
				if o.code != exitFailed {
					t.Errorf("exit %d", o.code)
				}
				contains(t, name, o.out, "2 payments replayed: 1 follow", reference)
			})
		})
	}
}
