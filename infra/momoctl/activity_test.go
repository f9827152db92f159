package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// What happened at a time is one list: payments, deliveries, endpoints,
// operators and strangers, and nothing from before or after.
func TestActivity(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		before := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		time.Sleep(time.Until(time.Date(2000, 1, 1, 14, 5, 0, 0, time.UTC)))
		paid := c.pay("ORDER-2", mtnstand.ScriptSuccess)
		c.must("delivery", "resend", before, "1")
		c.Pass(time.Second)
		c.must("endpoint", "disable", "cli_other", "https://other.example.com/momo")
		c.must("client", "update", "cli_shop", "--name", "Corner shop")
		if a := c.CallBack("POST", "", `{"externalId":"NOBODYS","status":"SUCCESSFUL"}`); a.StatusCode != 200 {
			t.Fatalf("%+v", a)
		}
		time.Sleep(time.Until(time.Date(2000, 1, 1, 14, 30, 0, 0, time.UTC)))
		after := c.pay("ORDER-3", mtnstand.ScriptSuccess)

		golden(t, "activity", c.run("activity", "--at", "14:05", "--for", "10m"))
		all := c.object("activity", "--at", "14:05", "--for", "10m")
		if text := fmt.Sprint(all); strings.Contains(text, after) || !strings.Contains(text, paid) {
			t.Errorf("%s", text)
		}
		for _, h := range all["activity"].([]any) {
			at, err := time.Parse(time.RFC3339, h.(map[string]any)["at"].(string))
			if err != nil || at.Hour() != 14 || at.Minute() < 5 || at.Minute() >= 15 {
				t.Errorf("%v %v", h, err)
			}
		}

		// Pages hold together all that one long list holds.
		n, next := 0, ""
		for pages := 0; ; pages++ {
			args := []string{"activity", "--at", "14:05", "--limit", "1"}
			if next != "" {
				args = append(args, "--after", next)
			}
			page := c.object(args...)
			n += len(page["activity"].([]any))
			if next, _ = page["next"].(string); next == "" {
				break
			}
			if pages > 10 {
				t.Fatal("it does not end")
			}
		}
		if want := len(all["activity"].([]any)); n != want {
			t.Errorf("pages hold %d, the list %d", n, want)
		}
		if o := c.run("activity", "--at", "03:00", "--client", "cli_other"); o.code != exitOK || o.out != "No activity found.\n" {
			t.Errorf("%+v", o)
		}
		for _, args := range [][]string{{}, {"--at", "noon"}, {"--at", "14:05", "--for", "2d"}, {"--at", "14:05", "--after", "x"}} {
			if o := c.run(append([]string{"activity"}, args...)...); o.code != exitUsage {
				t.Errorf("%v: %+v", args, o)
			}
		}
	})
}
