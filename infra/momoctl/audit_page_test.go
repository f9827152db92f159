package main

import (
	"fmt"
	"testing"
	"time"

	"momoproxy/infra/sandbox"
	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
)

// Pages of any size give a trail once and in order, many records of one
// moment included.
func TestTrailPages(t *testing.T) {
	t.Parallel()
	var trail []ledger.AuditRecord
	for i, second := range []int64{1, 1, 2, 3, 3, 3, 3, 3, 4, 5, 5} {
		trail = append(trail, ledger.AuditRecord{At: time.Unix(second, 0).UTC(), Note: fmt.Sprint(i)})
	}
	for limit := 1; limit <= len(trail)+1; limit++ {
		var got []string
		page := pageFlags{limit: limit}
		for {
			found, next, err := trailPage(trail, page)
			if err != nil || len(found) > limit || len(found) == 0 {
				t.Fatalf("limit %d: %d records, %v", limit, len(found), err)
			}
			for _, a := range found {
				got = append(got, a.Note)
			}
			if next == "" {
				break
			}
			page.after = next
		}
		if fmt.Sprint(got) != "[0 1 2 3 4 5 6 7 8 9 10]" {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
}

func TestAuditShowLimit(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		reference := c.pay("ORDER-1", sandbox.PlanSuccess)
		c.must("client", "disable", "cli_shop")
		c.must("client", "enable", "cli_shop")
		for flag, value := range map[string]string{"--payment": reference, "--client": "cli_shop"} {
			all := c.object("audit", "show", flag, value)["auditTrail"].([]any)
			one := c.object("audit", "show", flag, value, "--limit", "1")
			if n := len(one["auditTrail"].([]any)); n != 1 {
				t.Fatalf("%s: %d records", flag, n)
			}
			rest := c.object("audit", "show", flag, value, "--after", one["next"].(string))["auditTrail"].([]any)
			if len(all) < 2 || len(rest) != len(all)-1 {
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
