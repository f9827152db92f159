package main

import (
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
)

const movedURL = "https://new.shop.example.com/momo"

func (c *console) state(reference string) delivery.State {
	return c.Story(reference).Deliveries[0].State
}

// What is held for an address that the app has left goes to the new one.
func TestHeldEventsGoToTheNewURL(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.must("endpoint", "disable", "cli_shop", testbed.ShopURL)
		references := []string{c.pay("ORDER-1", mtnstand.ScriptSuccess), c.pay("ORDER-2", mtnstand.ScriptSuccess)}
		for _, reference := range references {
			if got := c.state(reference); got != delivery.Held {
				t.Fatalf("%s is %s", reference, got)
			}
		}
		c.App.Add(movedURL, testbed.ShopKey, testbed.ShopSecret)
		if got := c.object("client", "set-callback-url", "cli_shop", movedURL)["released"]; got != 2.0 {
			t.Errorf("released: %v", got)
		}
		c.Pass(time.Minute)
		for _, reference := range references {
			if got := c.App.About(reference); c.state(reference) != delivery.Delivered || len(got) != 1 || got[0].URL != movedURL {
				t.Errorf("%s is %s: %v", reference, c.state(reference), got)
			}
		}
	})
}

// An event that nothing can be done with is left out of a replay, which says
// so, and goes out when there is an address.
func TestReplayWithoutCallbackURL(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.must("client", "set-callback-url", "cli_shop", "")
		time.Sleep(10 * time.Second) // until nobody remembers the old one
		reference := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		if got := c.state(reference); got != delivery.Held {
			t.Fatalf("it is %s", got)
		}
		contains(t, "dry run", c.must("delivery", "replay"), "0 events would", "1 left out: it would be held again at once")
		contains(t, "run", c.must("delivery", "replay", "--yes"), "0 events sent", "1 left out: it would be held again at once")
		contains(t, "set", c.must("client", "set-callback-url", "cli_shop", testbed.ShopURL), "released      1 held event")
		c.Pass(time.Minute)
		if got := c.state(reference); got != delivery.Delivered {
			t.Errorf("it is %s", got)
		}
	})
}

// Another path of a host whose endpoint is disabled: nothing is sent there
// either, and the command that set it says what to do next.
func TestNewURLOfADisabledEndpoint(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.must("endpoint", "disable", "cli_shop", testbed.ShopURL)
		same := testbed.ShopURL + "/v2"
		next := "momoctl endpoint enable cli_shop " + same
		contains(t, "set", c.must("client", "set-callback-url", "cli_shop", same), "nothing is sent there", next)
		contains(t, "show", c.must("client", "show", "cli_shop"), next)
		if got := c.object("client", "show", "cli_shop")["endpointDisabled"]; got != delivery.DisabledByOperator {
			t.Errorf("endpointDisabled: %v", got)
		}
		c.must("endpoint", "enable", "cli_shop", same)
		if got, has := c.object("client", "show", "cli_shop")["endpointDisabled"]; has {
			t.Errorf("once it is enabled: %v", got)
		}
	})
}
