package main

import (
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
)

// An operator holds an endpoint back and lets it go again; nothing is lost.
func TestEndpointLife(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		if v := c.object("endpoint", "show", "cli_shop"); len(v["endpoints"].([]any)) != 0 {
			t.Errorf("%v", v)
		}
		contains(t, "disable", c.must("endpoint", "disable", "cli_shop", "https://SHOP.example.com/other/path"), "disabled operator")
		contains(t, "again", c.must("endpoint", "disable", "cli_shop", testbed.ShopURL), "disabled operator")
		time.Sleep(11 * time.Second)
		held := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		if d := c.Story(held).Deliveries[0]; d.State != delivery.Held || len(c.App.Got()) != 0 {
			t.Fatalf("it is %s, %d callbacks", d.State, len(c.App.Got()))
		}
		v := c.object("endpoint", "list")["endpoints"].([]any)
		if len(v) != 1 || v[0].(map[string]any)["disabledReason"] != "operator" {
			t.Errorf("%v", v)
		}
		if out := c.must("endpoint", "list"); strings.Contains(out, "Well again") {
			t.Error(out)
		}
		contains(t, "enable", c.must("endpoint", "enable", "cli_shop", testbed.ShopURL), "draining")
		contains(t, "list", c.must("endpoint", "list"), "Every endpoint is well.", "Well again, and being sent what was held:", "draining")
		c.must("endpoint", "disable", "cli_shop", testbed.ShopURL)
		if out := c.must("endpoint", "list"); strings.Contains(out, "well") || !strings.Contains(out, "disabled operator") {
			t.Error(out)
		}
		c.must("endpoint", "enable", "cli_shop", testbed.ShopURL)
		c.Pass(3 * time.Minute)
		if d := c.Story(held).Deliveries[0]; d.State != delivery.Delivered {
			t.Errorf("it is %s", d.State)
		}
		contains(t, "trail", c.must("audit", "show", "--client", "cli_shop"),
			"OPERATOR endpoint/disable", "OPERATOR endpoint/enable", "operator thandi: https://shop.example.com:443, it was disabled")
		c.Pass(time.Hour)
		contains(t, "well", c.must("endpoint", "enable", "cli_shop", testbed.ShopURL), "closed")
	})
}

func TestEndpointUnknown(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for _, args := range [][]string{
			{"endpoint", "enable", "cli_shop", "https://typo.example.com"}, {"endpoint", "disable", "cli_shop", "https://typo.example.com"},
			{"endpoint", "enable", "cli_nobody", testbed.ShopURL}, {"endpoint", "show", "cli_nobody"},
		} {
			if o := c.run(args...); o.code != exitNotFound || o.out != "" {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.run("endpoint", "enable", "cli_shop", "shop"); o.code != exitUsage {
			t.Errorf("%+v", o)
		}
	})
}
