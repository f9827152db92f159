package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/ledger"
	"momoproxy/shared/table"
)

// refusing makes n payments whose events are exhausted. They are made so in
// the table: that many failures in a row would open the endpoint's circuit.
func (c *console) refusing(n int) (references []string) {
	c.t.Helper()
	for i := range n {
		a := c.Pay(testbed.Order(fmt.Sprint("REFUSED-", i), mtnstand.Payer(mtnstand.ScriptSuccess)))
		if a.StatusCode != 202 {
			c.t.Fatalf("answered %d %s", a.StatusCode, a.Body)
		}
		references = append(references, a.Reference())
	}
	c.Pass(time.Hour)
	for _, r := range references {
		d := c.Story(r).Deliveries[0]
		d.State, d.DeliveredAt, d.Attempts, d.Latest = delivery.Exhausted, time.Time{}, 12, []delivery.Attempt{{Number: 12, Code: 500}}
		if _, err := c.Ledger.SaveDelivery(c.t.Context(), d); err != nil {
			c.t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	return references
}

// times counts the callbacks of each payment.
func (c *console) times(references []string) map[int]int {
	count := map[int]int{}
	for _, r := range references {
		count[len(c.App.About(r))]++
	}
	return count
}

func TestReplay(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		few := c.refusing(5)
		told := len(c.App.About(few[0]))
		replay := []string{"delivery", "replay", "--client", "cli_shop", "--status", "exhausted"}

		contains(t, "dry run", c.must(replay...), "5 events would be sent again", "exhausted  5", "Nothing was sent")
		o := c.typed("no\n", append(replay, "--go")...)
		if o.code != exitRefused || o.out != "" {
			t.Errorf("%+v", o)
		}
		contains(t, "the question", o.err, "5 events will be sent again")
		c.Pass(5 * time.Second)
		if got := c.times(few); got[told] != 5 {
			t.Fatalf("before it was confirmed: %v", got)
		}

		o = c.typed("yes\n", append(replay, "--go")...)
		if o.code != exitOK {
			t.Fatalf("%+v", o)
		}
		contains(t, "replay", o.out, "5 events sent again", "exhausted  5")
		c.Pass(5 * time.Second) // the doorbells, not the sweeper
		if got := c.times(few); got[told+1] != 5 {
			t.Errorf("replayed: %v", got)
		}
		d := c.Story(few[0]).Deliveries[0]
		if d.State != delivery.Delivered {
			t.Errorf("it is %s", d.State)
		}
		contains(t, "timeline", c.must("payment", "show", few[0]), "OPERATOR replay; operator thandi: event 1, it was exhausted", "manual attempt")

		// What a colleague has just replayed is left alone, unless meant.
		delivered := []string{"delivery", "replay", "--client", "cli_shop", "--status", "delivered", "--yes"}
		contains(t, "a day", c.must(delivered...), "0 events sent again", "5 left out: asked for again within a day")
		contains(t, "again", c.must(append(delivered, "--again")...), "5 events sent again")
		c.Pass(5 * time.Second)
		if got := c.times(few); got[told+2] != 5 {
			t.Errorf("replayed again: %v", got)
		}
		time.Sleep(25 * time.Hour)
		contains(t, "the day after", c.must(delivered[:len(delivered)-1]...), "5 events would be sent again")
	})
}

func TestReplaySelects(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		began := time.Now()
		c.refusing(2)
		c.pay("ORDER-1", mtnstand.ScriptSuccess)
		later := time.Now().UTC().Format(time.RFC3339Nano)
		for want, args := range map[string]string{
			"2 events":  "--client cli_shop",
			"3 events":  "--client cli_shop --status exhausted,delivered",
			"1 event w": "--client cli_shop --status delivered",
			"2 events ": "", // of all clients
			"0 events":  "--client cli_other",
			"3 events ": "--client cli_shop --status exhausted,delivered --event payment.successful --since " + began.UTC().Format(time.RFC3339),
			"0 events ": "--client cli_shop --status exhausted,delivered --event payment.failed",
			"0  events": "--client cli_shop --status exhausted,delivered --since " + later,
			"2  events": "--status exhausted --until 10s", // the other came about later
		} {
			want = strings.Replace(want, "  ", " ", 1)
			contains(t, args, c.must(append([]string{"delivery", "replay"}, strings.Fields(args)...)...), strings.TrimSpace(want))
		}
		if o := c.run("delivery", "replay", "--client", "cli_nobody"); o.code != exitNotFound {
			t.Errorf("%+v", o)
		}
		for _, args := range []string{
			"--status waiting", "--status lost", "--client cli_shop --status=", "--status delivered", "--rate 0", "--rate 1001",
			"--since tomorrow", "--since 1h --until 2h", "--resume nonsense", "--resume e30", "extra",
			"--resume " + newCursor(ledger.DeliveryFilter{States: []delivery.State{"held"}}, time.Now(), false).String() + " --client x",
		} {
			if o := c.run(append([]string{"delivery", "replay"}, strings.Fields(args)...)...); o.code != exitUsage {
				t.Errorf("%s: %+v", args, o)
			}
		}
	})
}

// A replay makes no more than its rate, whatever the table takes.
func TestReplayRate(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.refusing(21)
		began := time.Now()
		c.must("delivery", "replay", "--yes", "--rate", "4")
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("21 events at 4 a second took %v", took)
		}
	})
}

// breaking fails every write after the nth, without effect or with it.
type breaking struct {
	table.Table
	left     atomic.Int64
	persists bool
}

var errBroken = errors.New("the table is gone")

func (b *breaking) Write(ctx context.Context, ops ...table.Op) error {
	if b.left.Add(-1) >= 0 {
		return b.Table.Write(ctx, ops...)
	}
	if b.persists {
		if err := b.Table.Write(ctx, ops...); err != nil {
			return err
		}
	}
	return errBroken
}

// An interrupted replay says how to go on, and going on sends nothing twice,
// whether or not the write that failed took effect.
func TestReplayResumes(t *testing.T) {
	for _, persists := range []bool{false, true} {
		t.Run(fmt.Sprintf("persists=%t", persists), func(t *testing.T) {
			bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
				many := c.refusing(30)
				told := len(c.App.About(many[0]))
				b := &breaking{Table: c.Table, persists: persists}
				b.left.Store(12)
				c.Table = b
				o := c.run("delivery", "replay", "--client", "cli_shop", "--status", "exhausted,delivered", "--yes", "--json")
				if o.code != exitUnfinished || !strings.Contains(o.err, errBroken.Error()) {
					t.Fatalf("%+v", o)
				}
				var v replayView
				if err := json.Unmarshal([]byte(o.out), &v); err != nil || v.Done || v.Sent != 12 || v.Resume == "" {
					t.Fatalf("%v\n%s", err, o.out)
				}
				contains(t, "the error", o.err, "delivery replay --rate 20 --resume "+v.Resume)
				c.Table = b.Table
				c.Pass(time.Minute) // meanwhile its events are delivered
				// Somebody else resends one, and one comes about.
				rest := slices.IndexFunc(many, func(r string) bool { return len(c.App.About(r)) == told })
				c.must("delivery", "resend", many[rest], "1")
				late := c.pay("LATE", mtnstand.ScriptSuccess)

				o = c.run("delivery", "replay", "--resume", v.Resume)
				if o.code != exitOK {
					t.Fatalf("%+v", o)
				}
				c.Pass(time.Minute)
				if got := c.times(many); got[told+1] != 30 {
					t.Errorf("sent again so often: %v, and %d before", got, told)
				}
				if n := len(c.App.About(late)); n != 1 {
					t.Errorf("what came about after the start was sent %d times", n)
				}
			})
		})
	}
}

// A person's Ctrl-C is an interruption like any other.
func TestReplayInterrupted(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		many := c.refusing(30)
		told := len(c.App.About(many[0]))
		ctx, cancel := context.WithCancel(t.Context())
		c.ctx = ctx
		time.AfterFunc(time.Second, cancel)
		o := c.run("delivery", "replay", "--yes", "--rate", "10")
		c.ctx = nil
		if o.code != exitUnfinished || !strings.Contains(o.err, "--resume ") {
			t.Fatalf("%+v", o)
		}
		c.Pass(5 * time.Second) // what had been sent was rung for
		if got := c.times(many); got[told+1] < 10 || got[told+1] > 11 {
			t.Errorf("%v", got)
		}
		_, resume, _ := strings.Cut(o.err, "--resume ")
		c.must("delivery", "replay", "--resume", strings.TrimSpace(resume))
		c.Pass(5 * time.Second)
		if got := c.times(many); got[told+1] != 30 {
			t.Errorf("%v", got)
		}
	})
}

func TestReplayToDisabledEndpoint(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		many := c.refusing(3)
		told := len(c.App.About(many[0]))
		c.must("endpoint", "disable", "cli_shop", testbed.ShopURL)
		contains(t, "dry run", c.must("delivery", "replay"), "0 events would", "3 left out: the endpoint is disabled")
		contains(t, "run", c.must("delivery", "replay", "--yes"), "0 events sent", "3 left out: the endpoint is disabled")
		if o := c.run("delivery", "resend", many[0], "1"); o.code != exitRefused || !strings.Contains(o.err, "endpoint enable") {
			t.Errorf("%+v", o)
		}
		c.must("endpoint", "enable", "cli_shop", testbed.ShopURL)
		c.must("delivery", "replay", "--yes")
		c.Pass(10 * time.Second)
		if got := c.times(many); got[told+1] != 3 {
			t.Errorf("%v", got)
		}
	})
}

func TestProgress(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	var out strings.Builder
	p := progress{out: &out, now: func() time.Time { return now }, total: 200, began: now}
	for done := range 201 {
		p.show(done)
		now = now.Add(100 * time.Millisecond)
	}
	p.end(200)
	if got, want := out.String(), "100 of 200, 50%, 10/s, 10s left\n200 of 200, 100%, 10/s, 0s left\n"; got != want {
		t.Errorf("lines:\n%s", got)
	}
	out.Reset()
	p = progress{out: &out, now: func() time.Time { return now }, total: 2, began: now, terminal: true}
	now = now.Add(2 * time.Second)
	p.show(1)
	p.show(2) // too soon
	p.end(2)
	want := "\r\x1b[K[###############...............] 1 of 2, 50%, 0/s, 2s left\r\x1b[K[##############################] 2 of 2, 100%, 1/s, 0s left\n"
	if out.String() != want {
		t.Errorf("bar: %q", out.String())
	}
}
