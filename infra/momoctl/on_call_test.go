package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/table"
)

// counted counts what is read of a table.
type counted struct {
	table.Table
	reads *atomic.Int64
}

func (c counted) Get(ctx context.Context, k table.Key) (table.Record, error) {
	c.reads.Add(1)
	return c.Table.Get(ctx, k)
}

func (c counted) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	c.reads.Add(1)
	return c.Table.GetMany(ctx, keys...)
}

func (c counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.reads.Add(1)
	return c.Table.Query(ctx, q)
}

// TestOnCall is the stopwatch: eight questions of a night, each answered by one
// command. Its transcript has what each reads of the table, which is what the
// answer waits for.
func TestOnCall(t *testing.T) {
	var reads atomic.Int64
	bubble(t, testbed.Options{Table: func(in table.Table) table.Table { return counted{in, &reads} }}, func(t *testing.T, c *console) {
		time.Sleep(time.Until(time.Date(2000, 1, 1, 14, 0, 0, 0, time.UTC)))
		paid, held, _, _ := busy(t, c)
		c.must("client", "update", "cli_shop", "--name", "Corner shop")
		transaction := c.Payment(paid).FinancialTransactionID
		var transcript strings.Builder
		for _, q := range []struct{ question, command, answer string }{
			{"Where is the money of order 1?", "payment show ORDER-1", "is SUCCESSFUL"},
			{"Why did the app get no callback for order 4?", "payment show ORDER-4", "held"},
			{"Which payments are stuck?", "payment list --attention", held},
			{"What did this phone number pay?", "payment list --payer " + mtnstand.Payer(mtnstand.ScriptSuccess), "ORDER-1"},
			{"Which payment is this line of MTN's statement?", "payment show " + transaction, paid},
			{"What happened at 14:01?", "activity --at 14:01 --for 1m", held},
			{"What are today's totals?", "payment totals", "SUCCESSFUL"},
			{"Who changed this client?", "audit show --client cli_shop", "operator thandi"},
		} {
			before := reads.Load()
			o := c.run(strings.Fields(q.command)...)
			if o.code != exitOK || !strings.Contains(o.out, q.answer) {
				t.Errorf("%s %+v", q.question, o)
			}
			fmt.Fprintf(&transcript, "%s\n$ momoctl %s   (%d reads)\n%s\n", q.question, q.command, reads.Load()-before, o.out)
		}
		golden(t, "on-call", outcome{out: transcript.String()})
	})
}

// Totals are of the time and the client asked for, and say so when there is
// nothing.
func TestTotals(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		c.pay("ORDER-1", mtnstand.ScriptSuccess)
		if o := c.run("payment", "totals", "--client", "cli_other"); o.code != exitOK || o.out != "No payments found.\n" {
			t.Errorf("%+v", o)
		}
		time.Sleep(25 * time.Hour)
		if o := c.run("payment", "totals"); o.out != "No payments found.\n" {
			t.Errorf("yesterday's are counted: %+v", o)
		}
		contains(t, "since two days", c.must("payment", "totals", "--since", "2d", "-o", "csv"), "mtn,SZL,SUCCESSFUL,1,150.00")
		if o := c.run("payment", "totals", "--since", "noon"); o.code != exitUsage {
			t.Errorf("%+v", o)
		}
	})
}
