package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
	"momoproxy/shared/payment"
	"momoproxy/shared/telemetry"
)

// console is momoctl in front of a whole system in memory.
type console struct {
	*testbed.World
	t      *testing.T
	opened int
	said   strings.Builder // everything ever printed
	ctx    context.Context // nil: the test's
}

// bubble runs f with a console in virtual time.
func bubble(t *testing.T, o testbed.Options, f func(t *testing.T, c *console)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, &console{World: testbed.New(t, o), t: t}) })
}

// outcome is what one run of momoctl left behind.
type outcome struct {
	code     int
	out, err string
}

// typed runs a command line with what the person types.
func (c *console) typed(input string, args ...string) outcome {
	var out bytes.Buffer
	o := c.start(input, &out, args...)
	o.out = out.String()
	c.said.WriteString(o.out + o.err)
	return o
}

// typedInto runs a command line whose output goes elsewhere.
func (c *console) typedInto(out io.Writer, args ...string) outcome { return c.start("", out, args...) }

// closed is an output that nobody reads.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func (c *console) start(input string, out io.Writer, args ...string) outcome {
	var errs bytes.Buffer
	p := program{
		in: strings.NewReader(input), out: out, err: &errs, now: time.Now, sleep: host.Machine().Sleep, random: rand.Reader,
		getenv: unset, operator: "thandi",
		open: func(_ context.Context, p program, o options) (store, error) {
			c.opened++
			s := store{
				// A process of its own has caches of its own.
				ledger: ledger.New(c.Table, c.Ring, ledger.Options{HashPayer: c.Payers.Hash}).AsOperator(p.operator), queue: c.Queue, dead: c.Messages,
				operator: p.operator,
				log:      telemetry.New(p.err, slog.LevelWarn), close: func() error { return nil },
			}
			if o.provider {
				s.asking = c.Gateway
			}
			return s, nil
		},
	}
	ctx := c.ctx
	if ctx == nil {
		ctx = c.t.Context()
	}
	code := p.run(ctx, args)
	return outcome{code: code, err: errs.String()}
}

func (c *console) run(args ...string) outcome { return c.typed("", args...) }

// must runs a command line that has to succeed, and returns its output.
func (c *console) must(args ...string) string {
	c.t.Helper()
	o := c.run(args...)
	if o.code != exitOK || o.err != "" {
		c.t.Fatalf("momoctl %s: exit %d, %s", strings.Join(args, " "), o.code, o.err)
	}
	return o.out
}

// object is must with --json, read.
func (c *console) object(args ...string) map[string]any {
	c.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(c.must(append(args, "--json")...)), &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

// pay takes a payment of the shop through a minute of the named life.
func (c *console) pay(order, plan string) (reference string) {
	c.t.Helper()
	a := c.Pay(testbed.Order(order, mtnstand.Payer(plan)))
	if a.StatusCode != 202 {
		c.t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
	c.Pass(time.Minute)
	time.Sleep(time.Second) // what comes now is later than all before it
	return a.Reference()
}

// held is a payment that only an operator can end.
func (c *console) held(order string) (reference string) {
	c.t.Helper()
	reference = c.pay(order, "status_wrong_amount")
	if p := c.Payment(reference); p.Phase != payment.PhaseHeld {
		c.t.Fatalf("it is %s %s", p.Status, p.Phase)
	}
	return reference
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not have %q:\n%s", what, part, text)
		}
	}
}
