package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	mtnstand "momoproxy/infra/standin/mtn"
	"momoproxy/infra/testbed"
	"momoproxy/shared/delivery"
	"momoproxy/shared/queue"
	"momoproxy/shared/webhook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares what a command line answered with its file.
func golden(t *testing.T, name string, o outcome) {
	t.Helper()
	got := fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", o.code, o.out, o.err)
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// busy is a system with something of everything: a payment that succeeded and
// was announced, one that is held, one whose event is exhausted, one held back
// by a disabled endpoint, an open one, and dead letters.
func busy(t *testing.T, c *console) (paid, held, exhausted, blocked string) {
	t.Helper()
	paid = c.pay("ORDER-1", mtnstand.ScriptSuccess)
	held = c.held("ORDER-2")
	c.App.Answer(func(int, testbed.Received) webhook.Result {
		return webhook.Result{Code: 404, Control: "abort-message", Excerpt: "no such route"}
	})
	exhausted = c.pay("ORDER-3", mtnstand.ScriptSuccess)
	c.Pass(time.Hour)
	if d := c.Story(exhausted).Deliveries[0]; d.State != delivery.Exhausted {
		t.Fatalf("it is %s", d.State)
	}
	c.App.Answer(nil)
	c.must("endpoint", "disable", "cli_shop", "https://shop.example.com/any/path")
	time.Sleep(11 * time.Second) // other processes forget
	blocked = c.pay("ORDER-4", mtnstand.ScriptSuccess)
	if d := c.Story(blocked).Deliveries[0]; d.State != delivery.Held {
		t.Fatalf("it is %s", d.State)
	}
	if a := c.Pay(testbed.Order("ORDER-5", mtnstand.Payer(mtnstand.ScriptPending))); a.StatusCode != 202 {
		t.Fatalf("answered %d %s", a.StatusCode, a.Body)
	}
	c.die(`{"reference":"`+paid+`","sequence":1}`, "not a doorbell")
	return
}

// die makes dead letters.
func (c *console) die(bodies ...string) {
	c.t.Helper()
	for _, body := range bodies {
		if err := c.Messages.Send(c.t.Context(), queue.Message{Body: body, Group: "g"}); err != nil {
			c.t.Fatal(err)
		}
	}
	for range 6 {
		if _, err := c.Messages.Receive(c.t.Context(), 10, time.Second, 0); err != nil {
			c.t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
	}
}

// TestAnswers holds what each command prints, for people and for programs.
func TestAnswers(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		paid, held, exhausted, blocked := busy(t, c)
		if a := c.CallBack("POST", "", `{"externalId":"NOBODYS","status":"SUCCESSFUL"}`); a.StatusCode != 200 {
			t.Fatalf("%+v", a)
		}
		for _, q := range []struct {
			name string
			args string
		}{
			{"status", "status"},
			{"client-list", "client list"},
			{"client-show", "client show cli_shop"},
			{"payment-list", "payment list"},
			{"payment-list-limit", "payment list --client cli_shop --limit 2"},
			{"payment-list-filters", "payment list --client cli_shop --status successful --external-id ORDER-1"},
			{"payment-list-attention", "payment list --attention"},
			{"payment-show", "payment show " + paid},
			{"payment-show-held", "payment show " + held},
			{"payment-check", "payment check " + held},
			{"delivery-list", "delivery list --client cli_shop"},
			{"delivery-list-attention", "delivery list --attention"},
			{"delivery-list-nothing", "delivery list --client cli_other --since 1h"},
			{"delivery-show", "delivery show " + exhausted + " 1"},
			{"delivery-replay-dry", "delivery replay --client cli_shop --status exhausted,held,delivered"},
			{"endpoint-list", "endpoint list"},
			{"endpoint-show", "endpoint show cli_shop"},
			{"dlq-show", "dlq show"},
			{"audit-client", "audit show --client cli_shop"},
			{"audit-payment", "audit show --payment " + blocked},
			{"audit-unmatched", "audit show --unmatched 0s"},
		} {
			golden(t, q.name, c.run(strings.Fields(q.args)...))
			time.Sleep(peekFor)
			golden(t, q.name+"-json", c.run(append(strings.Fields(q.args), "--json")...))
			time.Sleep(peekFor)
		}
		golden(t, "dlq-redrive", c.run("dlq", "redrive"))
		golden(t, "endpoint-enable", c.run("endpoint", "enable", "cli_shop", testbed.ShopURL))
	})
}

// TestHelp holds the root's help, and that every command has one, with its
// arguments and flags.
func TestHelp(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		golden(t, "help", c.run("--help"))
		golden(t, "help-replay", c.run("delivery", "replay", "--help"))
		if a, b := c.run("help"), c.run("--help"); a != b {
			t.Errorf("help is not --help: %+v", a)
		}
		p := program{}
		for _, group := range p.root().Commands() {
			for _, command := range group.Commands() {
				words := strings.Fields(command.CommandPath())[1:]
				o := c.run(append(words, "-h")...)
				if o.code != exitOK || !strings.Contains(o.out, command.Long) || command.Long == "" || !strings.Contains(o.out, "Usage: momoctl "+strings.Join(words, " ")) {
					t.Errorf("help of %v: %+v", words, o)
				}
			}
		}
		if c.opened != 0 {
			t.Errorf("a store was opened %d times", c.opened)
		}
	})
}

// TestCompletion: the scripts are made, and complete clients and states.
func TestCompletion(t *testing.T) {
	bubble(t, testbed.Options{}, func(t *testing.T, c *console) {
		for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
			if o := c.run("completion", shell); o.code != exitOK || !strings.Contains(o.out, "momoctl") || len(o.out) < 1000 {
				t.Errorf("%s: exit %d, %d bytes", shell, o.code, len(o.out))
			}
		}
		for want, args := range map[string][]string{
			"cli_shop":               {"client", "show", "cli_s"},
			"cli_other":              {"payment", "list", "--client", "cli_o"},
			"exhausted":              {"delivery", "list", "--status", ""},
			"SUCCESSFUL":             {"payment", "settle", "x", "--status", ""},
			"rotate-secret\tgive a":  {"client", "rotate-s"},
			"replay\tdeliver many e": {"delivery", "re"},
		} {
			o := c.run(append([]string{"__complete"}, args...)...)
			if o.code != exitOK || !strings.Contains(o.out, want) || strings.Contains(o.out, "cli_shop") && strings.Contains(o.out, "cli_other") {
				t.Errorf("%q: %+v", args, o)
			}
		}
	})
}
