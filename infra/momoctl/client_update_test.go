package main

import (
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
		contains(t, "audit", c.must("audit", "show", "--client", "cli_shop"), "client/update", "operator thandi", "Corner shop")
		for _, args := range [][]string{{"cli_shop"}, {"cli_shop", "--name", " "}} {
			if o := c.run(append([]string{"client", "update"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.run("client", "update", "cli_nobody", "--name", "x"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}
