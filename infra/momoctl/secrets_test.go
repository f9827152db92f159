package main

import (
	"strings"
	"testing"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/webhook"
)

// Nothing but client create, rotate-key and rotate-secret shows a secret, and
// they show each once.
func TestSecretsAreNotPrinted(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		made := c.object("client", "create", "--name", "Kiosk", "--callback-url", testbed.ShopURL)
		id, key, secret := made["id"].(string), made["apiKey"].(string), made["signingSecret"].(string)
		contains(t, "what was printed", c.said.String(), key, secret)
		if n := strings.Count(c.said.String(), key) + strings.Count(c.said.String(), secret); n != 2 {
			t.Errorf("they were shown %d times", n)
		}
		c.said.Reset()

		// An app that quotes a secret back at us, of all things.
		c.App.Answer(func(int, testbed.Received) webhook.Result {
			return webhook.Result{Code: 200, Excerpt: "my secret is " + testbed.ShopSecret}
		})
		paid, held, other := c.pay("ORDER-1", mtnstand.ScriptSuccess), c.held("ORDER-2"), c.held("ORDER-3")
		token := c.CallbackPath(other)
		token = token[strings.LastIndexByte(token, '/')+1:]
		for _, json := range []string{"--json=false", "--json"} {
			for _, args := range [][]string{
				{"client", "show", id}, {"client", "show", "cli_shop"},
				{"client", "disable", id}, {"client", "enable", id}, {"client", "show", id, "--loud"},
				{"client", "set-callback-url", id, "https://kiosk.example.com/"}, {"client", "set-callback-url", id, "http://kiosk.example.com/"},
				{"payment", "show", paid}, {"payment", "show", held}, {"payment", "show", other},
				{"payment", "settle", held, "--status", "FAILED", "--reason", "x", "--yes"},
				{"payment", "settle", held, "--status", "SUCCESSFUL", "--reason", "x", "--yes"},
				{"payment", "settle", other, "--status", "SUCCESSFUL", "--reason", "x"},
				{"status"}, {"client", "list"}, {"client", "reseal", "--yes"}, {"client", "expire-key", id, "--yes"}, {"client", "expire-secret", id, "--yes"},
				{"payment", "list"}, {"payment", "list", "--attention"}, {"payment", "check", held},
				{"delivery", "list"}, {"delivery", "show", paid, "1"}, {"delivery", "replay", "--client", "cli_shop", "--status", "delivered", "--yes"},
				{"endpoint", "show", "cli_shop"}, {"endpoint", "disable", id, "https://kiosk.example.com/"}, {"endpoint", "enable", id, "https://kiosk.example.com/"},
				{"dlq", "show"}, {"dlq", "redrive"},
				{"audit", "show", "--payment", paid}, {"audit", "show", "--client", id}, {"audit", "show", "--provider", "0s"}, {"audit", "show", "--unmatched", "0s"},
				{"delivery", "resend", paid, "1"}, {"delivery", "resend", held, "1"}, {"delivery", "resend", held, "2"},
			} {
				c.run(append(args, json)...)
			}
		}
		said := c.said.String()
		contains(t, "what was printed", said, id, paid, held, other) // it did print
		for name, hidden := range map[string]string{
			"API key": key, "signing secret": secret, "shop's key": testbed.ShopKey, "shop's secret": testbed.ShopSecret,
			"callback token": token, "MTN's key": testbed.MTNKey, "subscription key": testbed.SubscriptionKey, "disbursement key": testbed.DisbursementKey,
		} {
			if hidden == "" || strings.Contains(said, hidden) {
				t.Errorf("%s is printed, or empty", name)
			}
		}
		for _, r := range c.Records() {
			for name, v := range r.Attributes {
				sealed, _ := v.(string)
				if (strings.HasSuffix(name, "_sealed") || strings.HasSuffix(name, "_hash")) && sealed != "" && strings.Contains(said, sealed) {
					t.Errorf("%s of %s is printed", name, r.Key)
				}
			}
		}
	})
}
