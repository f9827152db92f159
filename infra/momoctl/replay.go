package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"momoproxy/shared/delivery"

	"github.com/spf13/cobra"
)

// Rates of a replay, in events a second.
const (
	defaultRate = 20
	maxRate     = 1000
)

// replayable are the states a replay may ask for: what waits for an earlier
// event goes on by itself.
var replayable = []string{
	string(delivery.Due), string(delivery.Delivered), string(delivery.Exhausted), string(delivery.Held),
}

// replayFlags are the options of delivery replay.
type replayFlags struct {
	sel    selection
	again  bool
	rate   int
	resume string
	run    bool // --go
	yes    bool
}

func (c cli) deliveryReplay() *cobra.Command {
	var in replayFlags
	command := &cobra.Command{
		Use: "replay", Short: "deliver many events again",
		Long: `Counts the events that are selected; with --go or --yes makes one attempt for each, as
delivery resend does. What fails stays what it was, and can be replayed again.

The run's start is fixed. What came about, was delivered, or was asked for again by
anybody after it is left out, so that two replays at once send nothing twice; of two that
meet one event at the same moment one writes. Also left out is what was asked for again
within a day before the start and has been delivered since, unless --again is given; and
what goes to a disabled endpoint: enable that first; and what would be held again at once,
for want of a callback URL or a signing secret. What is held for an endpoint that is
back goes out by itself.

A run that is interrupted exits with 5 and prints the --resume that goes on with it: same
selection, same start.

A --client must be named unless only held and exhausted events are selected.`,
		Example: `  momoctl delivery replay --client cli_0a1b --since 36h
  momoctl delivery replay --client cli_0a1b --since 36h --go
  momoctl delivery replay --status exhausted --event payment.successful --yes --rate 50
  momoctl delivery replay --resume eyJzdGFydCI6...`,
		Args:    takes(nil),
		PreRunE: func(command *cobra.Command, _ []string) error { return in.check(c, command) },
		RunE:    c.over(func(ctx context.Context, s *session, _ []string) error { return s.replay(ctx, in) }),
	}
	in.sel.add(c, command, attentionStates)

	f := command.Flags()
	f.BoolVar(&in.again, "again", false, "also what was replayed within a day and delivered")
	f.IntVar(&in.rate, "rate", defaultRate, "the most `events` a second, 1 to 1000")
	f.StringVar(&in.resume, "resume", "", "go on with an interrupted run, by its `cursor`")
	f.BoolVar(&in.run, "go", false, "do it, having asked")
	f.BoolVar(&in.yes, "yes", false, "do it, and do not ask")
	return command
}

func (in *replayFlags) check(c cli, command *cobra.Command) error {
	if in.rate < 1 || in.rate > maxRate {
		return usageError(fmt.Sprintf("--rate must be 1 to %d", maxRate))
	}
	if in.resume != "" {
		for _, name := range []string{"client", "status", "event", "since", "until", "again"} {
			if command.Flags().Changed(name) {
				return usageError("--resume goes on with the selection of its run: --" + name + " cannot be given too")
			}
		}
		_, err := readCursor(in.resume)
		return err
	}
	for _, word := range in.sel.states {
		if !slices.Contains(replayable, word) {
			return usageError(fmt.Sprintf("--status %q: it must be %s", printable(word), alternatives(replayable)))
		}
	}
	f, err := in.sel.filter(c)
	if err != nil {
		return err
	}
	if len(f.States) == 0 {
		return usageError("--status must be " + alternatives(replayable))
	}
	if f.ClientID == "" && !f.Indexed() {
		return usageError("--client must be given: only " + strings.Join(attentionStates, " and ") + " events are found over all clients")
	}
	return nil
}

// replayView is what a replay answers.
type replayView struct {
	DryRun bool   `json:"dryRun"`
	Done   bool   `json:"done"`
	Start  string `json:"start"`
	Rate   int    `json:"rate,omitempty"`
	tally
	Resume string `json:"resume,omitempty"`
}

func (s *session) replay(ctx context.Context, in replayFlags) error {
	if in.resume != "" {
		cur, err := readCursor(in.resume)
		if err != nil {
			return err
		}
		return s.runReplay(ctx, cur, in.rate)
	}
	f, err := in.sel.filter(s.cli)
	if err != nil {
		return err
	}
	if f.ClientID != "" {
		if err := s.known(ctx, f.ClientID); err != nil {
			return err
		}
	}
	cur := newCursor(f, s.clock(), in.again)
	counted, err := s.count(ctx, cur)
	if err != nil {
		return err
	}
	if !in.run && !in.yes {
		v := replayView{DryRun: true, Done: true, Start: stampJSON(cur.Start), tally: counted}
		return s.answer(v, func(t *text) {
			describeReplay(t, "would be sent again", v.tally)
			if v.Sent > 0 {
				t.line("Nothing was sent: this was a count. --go does it, in about %s at %d a second.", lasting(v.Sent, in.rate), in.rate)
			}
		})
	}
	if !in.yes && counted.Sent > 0 {
		if err := s.confirm(func(t *text) {
			describeReplay(t, "will be sent again", counted)
			t.line("It takes about %s at %d a second.", lasting(counted.Sent, in.rate), in.rate)
		}); err != nil {
			return err
		}
	}
	cur.Total = counted.Sent
	return s.runReplay(ctx, cur, in.rate)
}

// afterReplay says what becomes of an event, by the state that it was in.
var afterReplay = map[string]string{
	string(delivery.Due):       "attempted before its time; its schedule stays",
	string(delivery.Delivered): "stays delivered if the attempt fails",
	string(delivery.Exhausted): "stays exhausted if the attempt fails",
	string(delivery.Held):      "stays held if the attempt fails, unless what it was held for is there now",
}

// describeReplay tells a tally in words.
func describeReplay(t *text, what string, c tally) {
	t.line("%s %s.", plural(c.Sent, "event"), what)
	for _, state := range replayable {
		if n := c.ByState[state]; n > 0 {
			t.line("  %-10s %d, %s", state, n, afterReplay[state])
		}
	}
	for _, why := range leftOutOrder {
		if n := c.LeftOut[why]; n > 0 {
			t.line("%d left out: %s.", n, leftOutWords[why])
		}
	}
}
