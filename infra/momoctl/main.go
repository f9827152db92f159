// Command momoctl is the operator's command line: it makes and changes
// clients, shows a payment's status and history, and does by hand what the system
// leaves to a person. It works on the tables and the queue themselves, over
// AWS and over a local store alike; only payment check needs a provider's
// credentials.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/delivery"
	"momoproxy/shared/gateway"
	"momoproxy/shared/host"
	"momoproxy/shared/ledger"
)

// Exit codes. Scripts go by them; help lists them.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNotFound
	exitRefused
	exitUnfinished
)

// program is momoctl and the world it runs in.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	random   io.Reader
	getenv   func(string) string
	operator string // whose word stands in the audit log
	terminal bool   // err is a terminal: progress may be drawn over
	screen   bool   // out is one: --watch may clear it
	network  network
	open     func(ctx context.Context, p program, o options) (store, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	p := program{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, sleep: host.Machine().Sleep, random: rand.Reader,
		getenv: os.Getenv, operator: userName(), terminal: isTerminal(os.Stderr), screen: isTerminal(os.Stdout), open: openStore,
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// userName is the name of the person at the keyboard, as far as the machine knows.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// usageError is a fault of the command line itself.
type usageError string

func (e usageError) Error() string { return string(e) }

// refusal is an error that the state of things, or the person, is the reason
// of. Repeating the command alone does not help.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refused(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// unfinished is the end of a run that can be gone on with.
type unfinished struct{ error }

func (u unfinished) Unwrap() error { return u.error }

// run does what the arguments say and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	code, asJSON := exitCode(err), asksJSON(args)
	p.complain(err, code, asJSON)
	if code == exitUsage && !asJSON {
		fmt.Fprintf(p.err, "\nUsage: %s\n\"%s --help\" tells more.\n", useLine(command), command.CommandPath())
	}
	return code
}

func exitCode(err error) int {
	var usage usageError
	var no refusal
	var more unfinished
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &more):
		return exitUnfinished
	case errors.Is(err, ledger.ErrNotFound):
		return exitNotFound
	case errors.As(err, &no), errors.Is(err, ledger.ErrStale), errors.Is(err, delivery.ErrUnderway),
		errors.Is(err, ledger.ErrRotation), errors.Is(err, ledger.ErrEndpointDisabled), errors.Is(err, gateway.ErrEnded):
		return exitRefused
	}
	return exitFailed
}

// useLine is how a command is written.
func useLine(c *cobra.Command) string {
	if c.HasAvailableSubCommands() {
		return c.CommandPath() + " COMMAND [flags]"
	}
	return c.UseLine()
}
