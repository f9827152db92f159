package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/queue"
)

// bellFor is a doorbell's body.
func bellFor(reference string, sequence int) string {
	return fmt.Sprintf(`{"reference":%q,"sequence":%d}`, reference, sequence)
}

// A redrive rings for what has not ended, deletes what it is done with, keeps
// what it cannot read, and is harmless when it is repeated.
func TestRedrive(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		paid, due := c.pay("ORDER-1", mtnstand.ScriptSuccess), c.pay("ORDER-2", mtnstand.ScriptSuccess)
		d := c.Story(due).Deliveries[0]
		d.State, d.NextAttemptAt, d.DeliveredAt = delivery.Due, ledger.Clock(time.Now()), time.Time{}
		if _, err := c.Ledger.SaveDelivery(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		c.die(bellFor(paid, 1), bellFor(due, 1), bellFor(due, 1), bellFor(unknownReference, 1), `{"reference":`)
		v := c.object("dlq", "show")
		if v["dead"] != 5.0 || len(v["letters"].([]any)) != 5 || v["oldest"] == nil {
			t.Errorf("%v", v)
		}
		time.Sleep(peekFor)

		v = c.object("dlq", "redrive")
		if v["rung"] != 2.0 || v["ended"] != 1.0 || v["unknown"] != 1.0 || len(v["unreadable"].([]any)) != 1 {
			t.Errorf("%v", v)
		}
		c.Pass(5 * time.Second)
		if d := c.Story(due).Deliveries[0]; d.State != delivery.Delivered {
			t.Errorf("it is %s", d.State)
		}
		if n, m := len(c.App.About(due)), len(c.App.About(paid)); n != 2 || m != 1 {
			t.Errorf("rung twice, attempted %d times; what had ended %d times", n-1, m)
		}
		time.Sleep(redriveFor)
		contains(t, "again", c.must("dlq", "redrive"), "0 events", "0 had ended", "1 letter is kept")
		time.Sleep(redriveFor)
		c.must("dlq", "redrive", "--drop-unreadable")
		contains(t, "in the end", c.must("dlq", "show"), "0 dead letters")
	})
}

// More letters than one take gives.
func TestRedriveMany(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		var bodies []string
		for range 57 {
			bodies = append(bodies, bellFor(unknownReference, 1))
		}
		c.die(bodies...)
		for range 30 { // die receives ten at a time
			if _, err := c.Messages.Receive(t.Context(), 10, time.Second, 0); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		contains(t, "redrive", c.must("dlq", "redrive"), "57 are not in the ledger")
		if waiting, dead, err := c.Messages.Depth(t.Context()); waiting+dead != 0 || err != nil {
			t.Errorf("%d waiting, %d dead, %v", waiting, dead, err)
		}
	})
}

// silent is a queue that takes no message.
type silent struct{ queue.Queue }

var errSilent = errors.New("the queue is gone")

func (silent) Send(context.Context, ...queue.Message) error { return errSilent }

// A letter whose doorbell could not be rung stays.
func TestRedriveKeepsWhatItCannotRing(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		due := c.pay("ORDER-1", mtnstand.ScriptSuccess)
		d := c.Story(due).Deliveries[0]
		d.State, d.NextAttemptAt, d.DeliveredAt = delivery.Due, ledger.Clock(time.Now()), time.Time{}
		if _, err := c.Ledger.SaveDelivery(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		c.die(bellFor(due, 1))
		good := c.Queue
		c.Queue = silent{good}
		if o := c.run("dlq", "redrive"); o.code != exitFailed || !strings.Contains(o.err, errSilent.Error()) {
			t.Errorf("%+v", o)
		}
		c.Queue = good
		time.Sleep(redriveFor)
		contains(t, "later", c.must("dlq", "redrive"), "Rang again for 1 event")
	})
}
