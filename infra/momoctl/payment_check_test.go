package main

import (
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A check ends what the provider knows the end of, before its schedule does.
func TestPaymentCheck(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		a := c.Pay(testbed.Order("ORDER-1", mtnstand.Payer("callback_lost")))
		if a.StatusCode != 202 {
			t.Fatalf("answered %d %s", a.StatusCode, a.Body)
		}
		time.Sleep(5 * time.Second) // MTN knows, and nobody has told us
		o := c.run("payment", "check", a.Reference())
		if o.code != exitOK {
			t.Fatalf("%+v", o)
		}
		contains(t, "check", o.out, "It was PENDING awaiting_payer, and is now:", "is SUCCESSFUL", "by status")
		c.Pass(5 * time.Second)
		if n := len(c.App.About(a.Reference())); n != 1 {
			t.Errorf("the app was told %d times", n)
		}
		time.Sleep(10 * time.Second)
		contains(t, "an ended one", c.must("payment", "check", a.Reference()), "nothing has changed")
		if o := c.run("payment", "check", a.Reference()); o.code != exitRefused || !strings.Contains(o.err, "not asked") {
			t.Errorf("at once again: %+v", o)
		}
		if o := c.run("payment", "check", unknownReference); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}
