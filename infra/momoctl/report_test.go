package main

import (
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// A payment counts once, on the day of its ending: one that was made long before
// and corrected is in that day's books and in no other.
func TestReport(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.pay("LATE", "late_success") // made on January 1
		c.pay("FAILED", "failed_expired")
		c.Pass(10 * 24 * time.Hour) // it times out on January 2 and is corrected later
		for range 3 {
			c.pay("SHOP-"+time.Now().Format(time.TimeOnly), mtnstand.ScriptSuccess)
		}
		if a := c.Pay(testbed.Order("OTHER", mtnstand.Payer(mtnstand.ScriptSuccess)), "X-Proxy-Api-Key", testbed.OtherKey); a.StatusCode != 202 {
			t.Fatal(a.Body)
		}
		c.Pass(23 * time.Hour)
		c.pay("MIDNIGHT", mtnstand.ScriptSuccess)
		all := strings.Fields("report --since 2000-01-01 --until 2000-02-01 --by app,currency,day")
		golden(t, "report", c.run(all...))
		golden(t, "report-csv", c.run(append(all, "--csv")...))
		golden(t, "report-json", c.run(append(all, "--json")...))
		golden(t, "report-status", c.run(strings.Fields("report --since 2000-01-01 --by account,day,status --zone Africa/Mbabane -o csv")...))
		golden(t, "report-one", c.run(strings.Fields("report --client cli_other --since 2d --csv")...))
		for _, args := range []string{"report --by weather", "report --zone Mbabane", "report --csv --json", "report --since 1d --until 2d"} {
			if o := c.run(strings.Fields(args)...); o.code != exitUsage || o.out != "" {
				t.Errorf("%s: %+v", args, o)
			}
		}
		if o := c.run("report", "--client", "cli_nobody"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
	})
}
