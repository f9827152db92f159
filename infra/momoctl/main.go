// Command momoctl is the operator's command line: it makes and disables
// clients, shows what became of a payment, and does by hand what the system
// leaves to a person. It works on the tables and the queue themselves, over
// AWS and over a local store alike, and needs no credentials of a provider.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"strings"
	"syscall"
	"time"

	"momoproxy/shared/ledger"
)

// Exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNotFound
)

// program is momoctl and the world it runs in.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	random   io.Reader
	operator string // whose word stands in the audit log
	open     func(ctx context.Context, o options, diagnostics io.Writer) (store, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	p := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, now: time.Now, random: rand.Reader, operator: whoever(), open: openStore}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// whoever names the person at the keyboard, as far as the machine knows.
func whoever() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}

// usageError is a fault of the command line itself.
type usageError string

func (e usageError) Error() string { return string(e) }

// run does what the arguments say and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	command, call, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		help(p.out, command)
		return exitOK
	case err == nil:
		err = p.call(ctx, command, call)
	}
	if err == nil {
		return exitOK
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		fmt.Fprintln(p.err, "momoctl:", printable(line))
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(p.err)
		brief(p.err, command)
		return exitUsage
	case errors.Is(err, ledger.ErrNotFound):
		return exitNotFound
	}
	return exitFailed
}

// call checks the arguments, opens the store and runs the command over it.
func (p program) call(ctx context.Context, c *command, call *call) (err error) {
	if c.check != nil {
		if err := c.check(call); err != nil {
			return err
		}
	}
	s, err := p.open(ctx, call.options, p.err)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = c.run(ctx, &session{program: p, store: s, call: call})
	if errors.Is(err, ledger.ErrMoved) {
		return fmt.Errorf("it has changed meanwhile, nothing was done; look again, then repeat (%w)", err)
	}
	return err
}

// session is one command at work.
type session struct {
	program
	store
	*call
}

// clock is the time as the ledger keeps it.
func (s *session) clock() time.Time { return ledger.Clock(s.now()) }
