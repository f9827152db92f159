// Command local runs the whole system in one process on one machine: the
// functions' handlers behind the routes of template.yaml, an embedded
// database and queue, a stand-in for the provider, and a demo app that
// verifies its callbacks. It needs nothing but Go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"momoproxy"
	"momoproxy/infra/standin"
	"momoproxy/shared/config"
)

// options are the command line.
type options struct {
	listen string
	data   string
	policy config.Policy
	aws    bool
	demo   bool
	live   bool // real money: see live.go
	// accounts names a file of accounts; empty: none.
	accounts string
	payouts  string // the same of accounts that give money back
	// console is the web console's address, or consoleOff; consoleSet: it was
	// named.
	console    string
	consoleSet bool
	// provider is the one that the demonstration pays through.
	provider string

	template []byte // what triggers which function
	name     string // of the tables and the queue under -aws

	// Where errors go beside the log, and the clock; nil: stderr and the
	// machine's.
	errors io.Writer
	now    func() time.Time
}

func main() {
	o, err := readOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil { // said already, with the usage
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "momo-proxy:", err)
		os.Exit(1)
	}
}

// readOptions reads the command line, and tells out what is wrong with it.
func readOptions(args []string, out io.Writer) (options, error) {
	o := options{template: momoproxy.Template, name: "momo-proxy-local"}
	policy := ""
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address of the gateway")
	flags.StringVar(&o.data, "data", ".local", "folder of the database, of this process alone, or :memory:")
	flags.StringVar(&policy, "callback-policy", string(config.Confirm), "confirm or trust unsigned callbacks")
	flags.BoolVar(&o.aws, "aws", false, "use DynamoDB and SQS as the AWS_* variables say, instead of the embedded database")
	flags.BoolVar(&o.live, "live", false, "real money: the configured accounts only, no stand-in, no demo client, no loopback callbacks")
	flags.StringVar(&o.accounts, "accounts", "", "JSON file of accounts by provider and id, for several of one provider (docs/deploy-one-machine.md)")
	flags.StringVar(&o.payouts, "payouts", "", "the same of the accounts that give money back")
	flags.StringVar(&o.console, "console", consoleAddress, "address of the web console on this machine, or "+consoleOff)
	flags.BoolVar(&o.demo, "demo", false, "run one payment to its verified callback, then exit with 0 or 1")
	flags.StringVar(&o.provider, "provider", "mtn", "which provider -demo pays through: "+strings.Join(demoProviders(), ", "))
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, say(out, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	o.policy = config.Policy(policy)
	if o.policy != config.Confirm && o.policy != config.Trust {
		return o, say(out, fmt.Errorf("-callback-policy must be confirm or trust, not %q", policy))
	}
	if _, ok := standin.Named(o.provider); !ok {
		return o, say(out, fmt.Errorf("-provider must be one of %s, not %q", strings.Join(demoProviders(), ", "), o.provider))
	}
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if set["provider"] && !o.demo {
		return o, say(out, errors.New("-provider goes with -demo: without it every request to pay names its own \"provider\", and all of them are there"))
	}
	o.consoleSet = set["console"]
	if err := checkLiveFlags(o); err != nil {
		return o, say(out, err)
	}
	if o.demo {
		// A demonstration leaves nothing behind and disturbs no other run.
		if !set["data"] && !o.aws { // tables outlive the run, and so must the key of what is sealed in them
			o.data = ":memory:"
		}
		if !set["listen"] {
			o.listen = "127.0.0.1:0"
		}
		if !set["console"] {
			o.console = consoleOff
		}
	}
	return o, nil
}

func say(out io.Writer, err error) error {
	fmt.Fprintln(out, err)
	return err
}
