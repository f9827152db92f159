package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"momoproxy/infra/testbed"
	"momoproxy/shared/ledger"
	"momoproxy/shared/seal"
)

func TestClientRotateKey(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		v := c.object("client", "rotate-key", "cli_shop", "--overlap", "1h")
		key, _ := v["apiKey"].(string)
		if ledger.APIKeyMistyped(key) || v["stored"] != true || v["signingSecret"] != nil {
			t.Fatalf("%v", v)
		}
		if n := strings.Count(c.said.String(), key); n != 1 {
			t.Errorf("it was shown %d times", n)
		}
		c.Restart(testbed.Options{Seed: 2})
		answers := func(order, key string) int {
			return c.Pay(testbed.Order(order, "26876123456"), "X-Proxy-Api-Key", key).StatusCode
		}
		if old := answers("ORDER-1", testbed.ShopKey); old != 202 {
			t.Errorf("the old key gets %d", old)
		}
		contains(t, "show", c.must("client", "show", "cli_shop"), ledger.Fingerprint(key)+", last used never", "old API key", "until 2000-01-01 01:00")

		// Ended before the app has used the new one: only if that is meant.
		o := c.typed("no\n", "client", "expire-key", "cli_shop")
		if o.code != exitRefused || !strings.Contains(o.err, "never used its new key") {
			t.Errorf("%+v", o)
		}
		if fresh := answers("ORDER-2", key); fresh != 202 {
			t.Errorf("the new key gets %d", fresh)
		}
		if out := c.must("client", "expire-key", "cli_shop"); strings.Contains(out, "old API key") {
			t.Errorf("%s", out)
		}
		time.Sleep(11 * time.Second)
		if old, fresh := answers("ORDER-3", testbed.ShopKey), answers("ORDER-3", key); old != 401 || fresh != 202 {
			t.Errorf("the old key gets %d, the new one %d", old, fresh)
		}
		c.must("client", "expire-key", "cli_shop") // nothing to do
		contains(t, "trail", c.must("audit", "show", "--client", "cli_shop"), "OPERATOR client/rotate-key", "operator thandi", "client/end-old-key")
		if out := c.said.String(); strings.Count(out, key) != 1 || strings.Contains(out, testbed.ShopKey) {
			t.Error("a key was shown again")
		}
	})
}

func TestClientExpireSecret(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.must("client", "rotate-secret", "cli_shop")
		if v := c.object("client", "show", "cli_shop"); v["oldSecretUntil"] == nil {
			t.Errorf("%v", v)
		}
		if o := c.typed("", "client", "expire-secret", "cli_shop"); o.code != exitRefused {
			t.Errorf("%+v", o)
		}
		c.must("client", "expire-secret", "cli_shop", "--yes")
		if v := c.object("client", "show", "cli_shop"); v["oldSecretUntil"] != nil {
			t.Errorf("%v", v)
		}
		c.must("client", "expire-secret", "cli_shop") // nothing to do, nothing to ask
	})
}

// After a reseal the older sealing key can go.
func TestClientReseal(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		older, newest := bytes.Repeat([]byte{7}, seal.KeySize), bytes.Repeat([]byte{8}, seal.KeySize)
		ring := func(keys ...[]byte) *seal.Ring {
			r, err := seal.NewRing(keys...)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		c.Ring = ring(newest, older)
		if o := c.typed("no\n", "client", "reseal"); o.code != exitRefused || !strings.Contains(o.err, "every function been deployed") {
			t.Errorf("%+v", o)
		}
		v := c.object("client", "reseal", "--yes")
		if v["clients"] != 2.0 || v["resealed"] != 2.0 {
			t.Errorf("%v", v)
		}
		if v := c.object("client", "reseal", "--yes"); v["resealed"] != 0.0 {
			t.Errorf("again: %v", v)
		}
		c.Ring = ring(newest)
		contains(t, "with the newest key alone", c.must("client", "show", "cli_shop"), "is active")
		c.Ring = ring(older)
		contains(t, "with the older key", c.must("client", "list"), "cli_shop", "(unreadable)")
		if o := c.run("client", "reseal", "--yes"); o.code != exitFailed || !strings.Contains(o.err, "keep the older sealing keys") {
			t.Errorf("%+v", o)
		}
	})
}
