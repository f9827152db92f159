package main

import (
	"fmt"
	"testing"

	"momoproxy/infra/testbed"
)

func TestClientUpdate(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		contains(t, "update", c.must("client", "update", "cli_shop", "--name", "Corner shop"), "Corner shop")
		c.must("client", "update", "cli_shop", "--legacy-signature=false")
		v := c.object("client", "show", "cli_shop")
		if v["name"] != "Corner shop" || v["legacySignature"] != false {
			t.Errorf("%v", v)
		}
		contains(t, "accounts", c.must("client", "update", "cli_shop", "--accounts", "mtn-sz,mtn-sz-new"), "mtn-sz, mtn-sz-new, no other")
		if v := c.object("client", "show", "cli_shop"); v["name"] != "Corner shop" || len(v["accounts"].([]any)) != 2 {
			t.Errorf("%v", v)
		}
		c.must("client", "update", "cli_shop", "--accounts", "")
		if v := c.object("client", "show", "cli_shop"); v["accounts"] != nil {
			t.Errorf("%v", v)
		}
		c.must("client", "update", "cli_shop", "--refunds-per-day", "SZL 1000,EUR 20.50")
		contains(t, "audit of refunds", c.must("audit", "show", "--client", "cli_shop"), "it may refund 1000.00 SZL, 20.50 EUR a day")
		made := c.object("client", "create", "--name", "Kiosk", "--accounts", "mtn")
		if v := c.object("client", "show", made["id"].(string)); fmt.Sprint(v["accounts"]) != "[mtn]" {
			t.Errorf("%v", v)
		}
		contains(t, "audit of accounts", c.must("audit", "show", "--client", "cli_shop"), "accounts mtn-sz, mtn-sz-new", "accounts all")
		contains(t, "audit", c.must("audit", "show", "--client", "cli_shop"), "client/update", "operator thandi", "Corner shop")
		for _, args := range [][]string{{"cli_shop"}, {"cli_shop", "--name", " "}, {"cli_shop", "--accounts", "MTN sz"}, {"cli_shop", "--refunds-per-day", "1000"}} {
			if o := c.run(append([]string{"client", "update"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.run("client", "update", "cli_nobody", "--name", "x"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}
