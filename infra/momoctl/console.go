package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	webconsole "momoproxy/infra/console"
)

// consoleOptions are the flags of console.
type consoleOptions struct {
	listen  string
	actions bool
	ask     bool
}

// stackEvery is how often a page is read anew from a deployed table, which
// costs money; a local one costs none.
const stackEvery = 5 * time.Second

func (c cli) console() *cobra.Command {
	var in consoleOptions
	command := &cobra.Command{
		Use: "console", Short: "serve the web console on this machine",
		Long: `Serves the web console on this machine alone, and prints its address with a key that is
good until it ends. Payers' numbers are masked; the audit log has who asked for one.

Over a deployed store, or a folder with real payments, it is read-only unless
--allow-actions is given. With --ask it can also ask providers about payments, and needs
their accounts as payment check does.

A page that is looked at reads the store once a second, a deployed one every five
seconds; a page in the background reads nothing.`,
		Example: `  momoctl console
  momoctl --stack momo-proxy console --allow-actions`,
		Args: takes(nil),
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		c.provider = in.ask
		return c.over(func(ctx context.Context, s *session, _ []string) error { return s.serveConsole(ctx, in) })(command, args)
	}
	f := command.Flags()
	f.StringVar(&in.listen, "listen", "127.0.0.1:8089", "`address` on this machine")
	f.BoolVar(&in.actions, "allow-actions", false, "let the pages change a deployed store, or real payments")
	f.BoolVar(&in.ask, "ask", false, "let the pages ask providers about payments")
	return command
}

func (s *session) serveConsole(ctx context.Context, in consoleOptions) error {
	l, err := webconsole.Listen(in.listen)
	if err != nil {
		return err
	}
	_, notLive := os.Stat(filepath.Join(s.data, localLive))
	o := webconsole.Options{
		Ledger: s.ledger, Queue: s.queue, Settle: s.gateway(), Ask: s.asking, Operator: s.operator, Place: "folder " + s.data,
		Live: notLive == nil, Key: webconsole.NewKey(), Log: s.log, Now: s.now,
		AskFault: "Start it with --ask and the providers' accounts, or use momoctl payment check.",
	}
	if s.stack != nil {
		o.Place, o.Live, o.Every = "stack "+s.options.stack, true, stackEvery
	}
	o.Actions = in.actions || !o.Live
	for _, p := range offline() {
		o.Providers = append(o.Providers, p.Capabilities().Name)
	}
	server := &http.Server{Handler: webconsole.New(o), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Fprintf(s.out, "Console on http://%s/?key=%s\n", l.Addr(), o.Key)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
