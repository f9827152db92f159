package main

import (
	"strings"
	"testing"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/webhook"
)

const unknownReference = "33333333-3333-4333-8333-333333333333"

func TestClientLife(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		made := c.object("client", "create", "--name", "Kiosk", "--callback-url", "https://kiosk.example.com/momo")
		id, key, secret := made["id"].(string), made["apiKey"].(string), made["signingSecret"].(string)
		if ledger.APIKeyMistyped(key) || !strings.HasPrefix(key, "mmp_live_") {
			t.Errorf("API key %q", key)
		}
		if _, err := webhook.ParseSecret(secret); err != nil {
			t.Error(err)
		}
		// The key works, and callbacks are signed with what was shown.
		c.App.Add("https://kiosk.example.com/momo", key, secret)
		order := testbed.Order("ORDER-1", "26876123456")
		if a := c.Pay(order, "X-Proxy-Api-Key", key); a.StatusCode != 202 {
			t.Errorf("the new key gets %d %s", a.StatusCode, a.Body)
		}
		contains(t, "show", c.must("client", "show", id), id+" is active", "Kiosk", "https://kiosk.example.com/momo")

		contains(t, "disable", c.must("client", "disable", id), "is disabled")
		c.Restart(testbed.Options{Seed: 2}) // other processes forget within ten seconds
		if a := c.Pay(testbed.Order("ORDER-2", "26876123456"), "X-Proxy-Api-Key", key); a.StatusCode != 401 {
			t.Errorf("disabled, the key gets %d %s", a.StatusCode, a.Body)
		}
		contains(t, "enable", c.must("client", "enable", id), "is active")
		c.Restart(testbed.Options{Seed: 3})
		if a := c.Pay(testbed.Order("ORDER-2", "26876123456"), "X-Proxy-Api-Key", key); a.StatusCode != 202 {
			t.Errorf("enabled, the key gets %d %s", a.StatusCode, a.Body)
		}

		contains(t, "set", c.must("client", "set-callback-url", id, "https://new.example.com/"), "https://new.example.com/")
		contains(t, "unset", c.must("client", "set-callback-url", id, ""), "none")
		if v := c.object("client", "show", id); v["active"] != true || v["callbackUrl"] != "" || v["apiKey"] != nil || v["signingSecret"] != nil {
			t.Errorf("%v", v)
		}
	})
}

func TestClientCreateInText(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		out := c.must("client", "create", "--name", "Kiosk")
		contains(t, "create", out, "mmp_live_", "whsec_", "shown this once", "X-Proxy-Api-Key", "set-callback-url")
	})
}

// Secrets that nobody has seen are of no use: the operator must hear of it.
func TestClientCreateCannotShow(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		o := c.typedInto(closed{}, "client", "create", "--name", "Kiosk")
		if o.code != exitFailed || !strings.Contains(o.err, "disable it and make another") || strings.Contains(o.err, "mmp_live_") {
			t.Errorf("%+v", o)
		}
	})
}

func TestUsage(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		ref := unknownReference
		for _, args := range [][]string{
			{}, {"client"}, {"client", "destroy"}, {"--loud"}, {"client", "show"}, {"client", "show", "a", "b"},
			{"client", "create"}, {"client", "create", "--name", " "}, {"client", "create", "--name", "a\nb"},
			{"client", "create", "--name", strings.Repeat("x", 101)}, {"client", "show", "--name", "x", "cli_shop"},
			{"client", "show", "--data", "x", "--stack", "y", "cli_shop"}, {"--data", "x", "client", "show", "cli_shop", "--stack", "y"},
			{"payment", "show", ""}, {"payment", "check", "ORDER-1"}, {"payment", "settle", ref},
			{"payment", "settle", ref, "--status", "TIMEOUT", "--reason", "x"},
			{"payment", "settle", ref, "--status", "FAILED"}, {"payment", "settle", ref, "--status", "FAILED", "--reason", " "},
			{"payment", "settle", ref, "--status", "FAILED", "--reason", strings.Repeat("x", 201)},
			{"payment", "settle", ref, "--status", "FAILED", "--reason", "x", "--financial-transaction-id", "1"},
			{"delivery", "resend", ref}, {"delivery", "resend", ref, "0"}, {"delivery", "resend", ref, "first"},
		} {
			if o := c.run(args...); o.code != exitUsage || o.out != "" || !strings.Contains(o.err, "Usage: momoctl") {
				t.Errorf("momoctl %q: exit %d\n%s%s", args, o.code, o.out, o.err)
			}
		}
		if c.opened != 0 {
			t.Errorf("a store was opened %d times", c.opened)
		}
		for _, args := range [][]string{
			{"client", "create", "--name", "x", "--callback-url", "http://kiosk.example.com"},
			{"client", "set-callback-url", "cli_shop", "https://10.0.0.1/"},
		} {
			if o := c.run(args...); o.code != exitUsage || !strings.Contains(o.err, "The URL") {
				t.Errorf("momoctl %q: %+v", args, o)
			}
		}
	})
}

func TestNotFound(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for _, args := range [][]string{
			{"client", "show", "cli_nobody"}, {"client", "disable", "cli_nobody"}, {"client", "enable", "cli_nobody"},
			{"client", "set-callback-url", "cli_nobody", "https://shop.example.com/"},
			{"payment", "show", unknownReference}, {"delivery", "resend", unknownReference, "1"},
			{"payment", "settle", unknownReference, "--status", "FAILED", "--reason", "x", "--yes"},
		} {
			if o := c.run(args...); o.code != exitNotFound || o.out != "" {
				t.Errorf("momoctl %q: %+v", args, o)
			}
		}
	})
}
