package main

import (
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

func TestClientRotateSecret(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		old, err := webhook.ParseSecret(testbed.ShopSecret)
		if err != nil {
			t.Fatal(err)
		}
		v := c.object("client", "rotate-secret", "cli_shop", "--overlap", "1h")
		secret, _ := v["signingSecret"].(string)
		until, err := time.Parse(time.RFC3339, v["oldSecretUntil"].(string))
		if err != nil || v["stored"] != true || time.Until(until).Round(time.Minute) != time.Hour {
			t.Errorf("%v, %v", v["oldSecretUntil"], err)
		}
		if n := strings.Count(c.said.String(), secret); secret == "" || n != 1 {
			t.Errorf("it was shown %d times", n)
		}
		c.App.Add(testbed.ShopURL, testbed.ShopKey, secret) // it verifies each callback
		c.Restart(testbed.Options{Seed: 2})                 // other processes forget within ten seconds
		verifies := func(order string) bool {
			got := c.App.About(c.pay(order, mtnstand.ScriptSuccess))
			if len(got) == 0 {
				t.Fatal("no callback")
			}
			_, err := webhook.Verify(got[0].Header, []byte(got[0].Body), got[0].At, webhook.Tolerance, old)
			return err == nil
		}
		if !verifies("ORDER-1") {
			t.Error("the old secret does not verify within the overlap")
		}
		c.Pass(time.Hour)
		if verifies("ORDER-2") {
			t.Error("the old secret verifies after the overlap")
		}
		until, err = time.Parse(time.RFC3339, c.object("client", "rotate-key", "cli_shop", "--overlap", "7d")["oldKeyUntil"].(string))
		if err != nil || time.Until(until).Round(time.Minute) != 7*24*time.Hour {
			t.Errorf("7d is until %v, %v", until, err)
		}
		contains(t, "rotate", c.must("client", "rotate-secret", "cli_shop"), "whsec_", "shown this once", "until")
	})
}

func TestClientRotateSecretRefuses(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for _, args := range [][]string{
			{"cli_shop", "--overlap", "30s"}, {"cli_shop", "--overlap", "169h"}, {"cli_shop", "--overlap", "8d"}, {"cli_shop", "--overlap", "soon"}, {},
		} {
			if o := c.run(append([]string{"client", "rotate-secret"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
		if o := c.run("client", "rotate-secret", "cli_nobody"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
		// A secret that nobody has seen: the operator must hear of it.
		o := c.typedInto(closed{}, "client", "rotate-secret", "cli_shop")
		if o.code != exitFailed || !strings.Contains(o.err, "could not be shown") || strings.Contains(o.err, "whsec_") {
			t.Errorf("%+v", o)
		}
	})
}
