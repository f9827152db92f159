package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

// session is one command at work on an open store.
type session struct {
	cli
	store
}

// over makes what a command runs: f on the store that the options name.
func (c cli) over(f func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) (err error) {
		st, err := c.open(command.Context(), c.program, *c.options)
		if err != nil {
			return openError{err}
		}
		defer func() { err = errors.Join(err, st.close()) }()
		c := c
		if machine := c.now; st.ahead > 0 {
			c.now = func() time.Time { return machine().Add(st.ahead) }
		}
		err = f(command.Context(), &session{c, st}, args)
		if errors.Is(err, ledger.ErrStale) {
			return fmt.Errorf("it has changed meanwhile, nothing was done; look again, then repeat (%w)", err)
		}
		return err
	}
}

// openError: there is no store to work on.
type openError struct{ error }

func (e openError) Unwrap() error { return e.error }

// clock is the time as the ledger keeps it.
func (c cli) clock() time.Time { return ledger.Clock(c.now()) }

// pageFlags are those of a list.
type pageFlags struct {
	limit int
	after string
}

const (
	defaultLimit = 50
	maxLimit     = 1000
)

func (f *pageFlags) add(c *cobra.Command) {
	c.Flags().IntVar(&f.limit, "limit", defaultLimit, "the most to list, 1 to 1000")
	c.Flags().StringVar(&f.after, "after", "", "`cursor` that the page before ended with")
}

func (f *pageFlags) check() error {
	if f.limit < 1 || f.limit > maxLimit {
		return usageError(fmt.Sprintf("--limit must be 1 to %d", maxLimit))
	}
	return nil
}

// more tells people how to see the next page.
func (s *session) more(next string) {
	if next != "" {
		fmt.Fprintf(s.err, "There is more: repeat with --after %s\n", next)
	}
}

// badCursor names the flag that a cursor came by.
func badCursor(flag string, err error) error {
	if errors.Is(err, ledger.ErrCursor) {
		return usageError("--" + flag + ": not the cursor of such a list")
	}
	return err
}

// oneOf checks a flag that takes certain words.
func oneOf(flag, value string, words []string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	return usageError(fmt.Sprintf("--%s %q: it must be %s", flag, printable(value), alternatives(words)))
}

func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
