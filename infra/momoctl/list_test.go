package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
)

// pages walks a list by its cursors and returns what name finds in each item.
func (c *console) pages(what, name string, args ...string) (all []string) {
	c.t.Helper()
	after := ""
	for range 100 {
		v := c.object(append(args, "--after="+after)...)
		for _, item := range v[what].([]any) {
			all = append(all, fmt.Sprint(item.(map[string]any)[name]))
		}
		if after, _ = v["next"].(string); after == "" {
			return all
		}
	}
	c.t.Fatal("the list does not end")
	return nil
}

// Lists are whole, whatever the page; over all clients they go client by
// client.
func TestListsPage(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for i := range 7 {
			c.pay(fmt.Sprint("SHOP-", i), mtnstand.ScriptSuccess)
		}
		for i := range 3 {
			a := c.Pay(testbed.Order(fmt.Sprint("OTHER-", i), mtnstand.Payer("status_wrong_amount")), "X-Proxy-Api-Key", testbed.OtherKey)
			if a.StatusCode != 202 {
				t.Fatal(a.Body)
			}
			c.Pass(time.Minute)
		}
		shop, other := "SHOP-6 SHOP-5 SHOP-4 SHOP-3 SHOP-2 SHOP-1 SHOP-0", "OTHER-2 OTHER-1 OTHER-0"
		for _, limit := range []string{"1", "3", "1000"} {
			for args, want := range map[string]string{
				"":                                    other + " " + shop, // both are as old: by id
				"--client cli_shop":                   shop,
				"--status SUCCESSFUL":                 shop,
				"--client cli_other --status PENDING": other,
				"--external-id SHOP-4":                "SHOP-4",
				"--until 2000-01-01T00:02":            "SHOP-1 SHOP-0",
				"--since 2000-01-01T00:06 --until 2000-01-01T00:08:30Z": "OTHER-1 OTHER-0 SHOP-6",
				"--client cli_shop --since 2000-01-01T00:06":            "SHOP-6",
				"--since 100d --until 99d":                              "",
				"--attention":                                           "OTHER-0 OTHER-1 OTHER-2",
				"--attention --client cli_other":                        "OTHER-0 OTHER-1 OTHER-2",
				"--attention --client cli_shop":                         "",
			} {
				got := c.pages("payments", "externalId", append(strings.Fields("payment list "+args), "--limit", limit)...)
				if strings.Join(got, " ") != want {
					t.Errorf("%s, %s a page: %v, want %s", args, limit, got, want)
				}
			}
			if got := c.pages("deliveries", "event", "delivery", "list", "--limit", limit); len(got) != 7 {
				t.Errorf("%d deliveries", len(got))
			}
			if got := c.pages("clients", "id", "client", "list", "--limit", limit); len(got) != 2 {
				t.Errorf("clients: %v", got)
			}
		}
		for _, args := range []string{
			"payment list --after nonsense", "delivery list --after nonsense", "client list --after nonsense", "audit show --unmatched 1h --after nonsense",
			"payment list --limit 0", "payment list --limit 1001", "payment list --status LOST", "payment list --attention --status FAILED",
			"payment list --since yesterday", "delivery list --attention --status due", "delivery list --status lost",
			"audit show", "audit show --client a --unmatched 1h", "audit show --unmatched then",
		} {
			if o := c.run(strings.Fields(args)...); o.code != exitUsage || o.out != "" {
				t.Errorf("%s: %+v", args, o)
			}
		}
		for _, args := range []string{
			"payment list --client cli_nobody", "delivery list --client cli_nobody", "audit show --client cli_nobody", "audit show --payment " + unknownReference, "audit show --payment ORDER-1",
			"delivery show " + unknownReference + " 1", "client rotate-key cli_nobody", "client expire-key cli_nobody", "client expire-secret cli_nobody",
		} {
			if o := c.run(strings.Fields(args)...); o.code != exitNotFound || o.out != "" {
				t.Errorf("%s: %+v", args, o)
			}
		}
	})
}

func TestReadTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"2026-08-31":                now.Add(-36 * time.Hour),
		"2026-09-01T08:30":          now.Add(-210 * time.Minute),
		"2026-09-01T10:00:00+02:00": now.Add(-4 * time.Hour),
		"90m":                       now.Add(-90 * time.Minute),
		"7d":                        now.Add(-7 * 24 * time.Hour),
		"0s":                        now,
	} {
		if got, err := readTime("since", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "-1h", "7", "1e9d", "-3d", "2026-13-01", "7dd", "+7d", "99999999d", "07d"} {
		if got, err := readTime("since", text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
