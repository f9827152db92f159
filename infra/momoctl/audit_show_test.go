package main

import (
	"testing"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

func TestAuditShowLimit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		c.must("client", "disable", "cli_shop")
		c.must("client", "enable", "cli_shop")
		for flag, value := range map[string]string{"--payment": reference, "--client": "cli_shop"} {
			all := c.object("audit", "show", flag, value)["auditTrail"].([]any)
			one := c.object("audit", "show", flag, value, "--limit", "1")
			first := len(one["auditTrail"].([]any)) // of one write
			if first < 1 || first == len(all) {
				t.Fatalf("%s: %d records of %d", flag, first, len(all))
			}
			rest := c.object("audit", "show", flag, value, "--after", one["next"].(string))["auditTrail"].([]any)
			if len(all) < 2 || len(rest) != len(all)-first {
				t.Errorf("%s: %d records, %d after the first", flag, len(all), len(rest))
			}
			for _, args := range [][]string{{"--limit", "0"}, {"--after", "nonsense"}} {
				if o := c.run(append([]string{"audit", "show", flag, value}, args...)...); o.code != exitUsage {
					t.Errorf("%s %v: %+v", flag, args, o)
				}
			}
		}
	})
}
