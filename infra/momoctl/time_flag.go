package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"momoproxy/shared/ledger"
)

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

// length is a flag for a length of time.
type length time.Duration

func (l *length) Set(text string) error {
	d, err := readLength(text)
	if err != nil {
		return errors.New("give a length of time as 90m, 36h or 7d")
	}
	*l = length(d)
	return nil
}

func (l *length) String() string { return time.Duration(*l).String() }
func (l *length) Type() string   { return "time" }

// readLength reads 7d as well as what Go takes for a duration.
func readLength(text string) (time.Duration, error) {
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && text == fmt.Sprintf("%dd", days) && days < 100_000 {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
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
	if t, err := time.Parse("15:04", text); err == nil {
		at := now.UTC().Truncate(24 * time.Hour).Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
		if at.After(now) {
			at = at.Add(-24 * time.Hour)
		}
		return ledger.Clock(at), nil
	}
	if d, err := readLength(text); err == nil && d >= 0 {
		return ledger.Clock(now.Add(-d)), nil
	}
	return time.Time{}, usageError(fmt.Sprintf("--%s %q is not a time: give 2026-09-01, 2026-09-01T08:30, 08:30, RFC 3339, or so long ago as 90m, 36h, 7d", flag, printable(text)))
}
