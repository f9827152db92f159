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
			return err
		}
		defer func() { err = errors.Join(err, st.close()) }()
		err = f(command.Context(), &session{c, st}, args)
		if errors.Is(err, ledger.ErrMoved) {
			return fmt.Errorf("it has changed meanwhile, nothing was done; look again, then repeat (%w)", err)
		}
		return err
	}
}

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

// window is a span of time, as given.
type window struct{ since, until string }

func (w *window) add(c *cobra.Command, of string) {
	c.Flags().StringVar(&w.since, "since", "", of+" at this `time` or later")
	c.Flags().StringVar(&w.until, "until", "", of+" before this `time`")
}

// read returns the bounds; zero is none.
func (w *window) read(now time.Time) (since, until time.Time, err error) {
	if since, err = readTime("since", w.since, now); err != nil {
		return
	}
	if until, err = readTime("until", w.until, now); err != nil {
		return
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		err = usageError("--since must be before --until")
	}
	return
}

// readTime reads a time as help describes it; empty is zero.
func readTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return ledger.Clock(t), nil
		}
	}
	ago := text
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && text == fmt.Sprintf("%dd", days) && days < 100_000 {
		ago = fmt.Sprintf("%dh", days*24)
	}
	if d, err := time.ParseDuration(ago); err == nil && d >= 0 {
		return ledger.Clock(now.Add(-d)), nil
	}
	return time.Time{}, usageError(fmt.Sprintf("--%s %q is not a time: give 2026-09-01, 2026-09-01T08:30, RFC 3339, or so long ago as 90m, 36h, 7d", flag, printable(text)))
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

// fixed completes a flag's words.
func fixed(words []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeFlag completes a flag. A flag that is not there is a mistake of
// ours, which the tests see.
func completeFlag(c *cobra.Command, flag string, f func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// clientIDs completes the first argument, or a flag, with the clients there
// are. It is quick or gives nothing: a person is waiting in a half-typed line.
func (c cli) clientIDs(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	ctx := command.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionPatience)
	defer cancel()
	st, err := c.open(ctx, c.program, *c.options)
	if err != nil {
		return nil, none
	}
	defer func() { _ = st.close() }()
	ids, _, err := st.ledger.ListClientIDs(ctx, ledger.MaxListed, "")
	if err != nil {
		return nil, none
	}
	var fit []string
	for _, id := range ids {
		if strings.HasPrefix(id, begun) {
			fit = append(fit, id)
		}
	}
	return fit, none
}

const completionPatience = 2 * time.Second

// firstIsClient completes a client's id as the first argument.
func (c cli) firstIsClient(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.clientIDs(command, args, begun)
}
