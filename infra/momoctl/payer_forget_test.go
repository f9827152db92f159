package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A number is erased from what ended long ago, after a typed yes, and what is
// left still follows from its evidence.
func TestPayerForget(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		payer := mtnstand.Payer(mtnstand.ScriptSuccess)
		old, other := c.pay("ORDER-1", mtnstand.ScriptSuccess), c.pay("ORDER-2", "callback_lost")
		time.Sleep(91 * 24 * time.Hour)
		fresh := c.pay("ORDER-3", mtnstand.ScriptSuccess)

		if o := c.typed("no\n", "payer", "forget", payer); o.code != exitRefused || c.Payment(old).Payer == "000000000000" {
			t.Errorf("%+v", o)
		}
		o := c.typed("yes\n", "payer", "forget", "+"+payer)
		if o.code != exitOK || !strings.Contains(o.out, "1 payment of") || !strings.Contains(o.out, fresh+" keeps it") {
			t.Fatalf("%+v", o)
		}
		for _, rec := range c.Records() {
			if text := fmt.Sprint(rec); strings.Contains(text, payer) && strings.Contains(text, old) {
				t.Errorf("%s", text)
			}
		}
		if c.Payment(other).Payer == "000000000000" || string(c.Payment(fresh).Payer) != payer {
			t.Error("another payment lost its number")
		}
		contains(t, "payment show", c.must("payment", "show", old), "SUCCESSFUL", "000", "payer/forget", "operator thandi")
		contains(t, "payments of the number", c.must("payment", "list", "--payer", payer), fresh)
		contains(t, "audit verify", c.must("audit", "verify"), "3 payments")
		if v := c.object("payer", "forget", payer, "--yes"); len(v["forgotten"].([]any)) != 0 || len(v["kept"].([]any)) != 1 {
			t.Errorf("%v", v)
		}
		if o := c.run("payer", "forget", "nobody"); o.code != exitUsage {
			t.Errorf("%+v", o)
		}
	})
}
