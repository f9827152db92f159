package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/simulation"
)

var (
	seedFlag     = flag.Uint64("seed", 0, "replay one seed; with -v its whole trace")
	seedsFlag    = flag.Uint64("seeds", 1200, "how many seeds to run")
	onlyFlag     = flag.String("only", "", "look at this invariant alone")
	nestedFlag   = flag.Bool("nested", false, "what begins while a function waits ends before that function goes on")
	shrinkFlag   = flag.Bool("shrink", true, "look for a smaller run that breaks the same invariant")
	paymentsFlag = flag.Int("payments", 0, "the most payments of a run; 0: as drawn")
	appsFlag     = flag.Int("apps", 0, "the most apps of a run; 0: as drawn")
	faultsFlag   = flag.String("faults", "", "the only kinds of faults that may happen, separated by commas, or none; empty: all (see rates.go)")
	firstFlag    = flag.Uint64("first", 1, "the first seed to run")
)

// run lives one seed through in a bubble of its own.
func run(t *testing.T, seed uint64, trace bool) (r simulation.Result) {
	return live(t, simulation.Options{
		Seed: seed, Trace: trace, Nested: *nestedFlag, Only: simulation.Invariant(*onlyFlag),
		Payments: *paymentsFlag, Apps: *appsFlag, Without: allBut(*faultsFlag),
	})
}

// allBut are the kinds of faults that a list does not name.
func allBut(list string) []string {
	if list == "" {
		return nil
	}
	return slices.DeleteFunc(simulation.Faults(), func(name string) bool { return slices.Contains(strings.Split(list, ","), name) })
}

func live(t *testing.T, o simulation.Options) (r simulation.Result) {
	o.Settle = synctest.Wait
	synctest.Test(t, func(*testing.T) { r = simulation.Run(o) })
	return r
}

// command replays a run.
func command(o simulation.Options) string {
	c := fmt.Sprintf("go test ./infra/simulation -run TestSimulation -v -seed=%d", o.Seed)
	if o.Payments > 0 {
		c += fmt.Sprintf(" -payments=%d", o.Payments)
	}
	if o.Apps > 0 {
		c += fmt.Sprintf(" -apps=%d", o.Apps)
	}
	if len(o.Without) > 0 {
		kept := slices.DeleteFunc(simulation.Faults(), func(name string) bool { return slices.Contains(o.Without, name) })
		if len(kept) == 0 {
			kept = []string{"none"}
		}
		c += " -faults=" + strings.Join(kept, ",")
	}
	if o.Only != "" {
		c += fmt.Sprintf(" -only=%q", o.Only)
	}
	return c
}

// reportShrunk prints a small run that breaks the same invariant, whole if it
// is short.
func reportShrunk(t *testing.T, r simulation.Result) {
	t.Helper()
	lives := func(o simulation.Options) simulation.Result { return live(t, o) }
	o := simulation.Shrink(simulation.Options{Seed: r.Seed, Nested: *nestedFlag}, r.Violations[0].Invariant, lives)
	o.Trace = true
	small := live(t, o)
	t.Logf("a smaller run that breaks %q (%d lines, not %d): %s", o.Only, len(small.Trace), len(r.Trace), command(o))
	for _, l := range small.Trace[max(0, len(small.Trace)-300):] {
		t.Log(l)
	}
}

// report fails the test with what a seed has broken and the end of its trace.
func report(t *testing.T, r simulation.Result, lines int) {
	t.Helper()
	t.Errorf("seed %d broke %q; replay it with: go test ./infra/simulation -run TestSimulation -seed=%d -v", r.Seed, r.Violations[0].Invariant, r.Seed)
	for _, v := range r.Violations {
		t.Errorf("  %s", v)
	}
	for _, l := range r.Trace[max(0, len(r.Trace)-lines):] {
		t.Log(l)
	}
}

// TestSimulation lives through many worlds, or replays one.
func TestSimulation(t *testing.T) {
	if *seedFlag != 0 {
		r := run(t, *seedFlag, true)
		if testing.Verbose() {
			for _, l := range r.Trace {
				t.Log(l)
			}
		}
		t.Logf("seed %d, trace hash %016x, %+v", r.Seed, r.Hash, r.Stats)
		if len(r.Violations) > 0 {
			report(t, r, 0)
		}
		return
	}
	var next, done atomic.Uint64
	var failed atomic.Bool
	// Workers run seeds side by side; each seed's world is on one goroutine.
	total := make([]simulation.Stats, runtime.GOMAXPROCS(0))
	next.Store(*firstFlag)
	begin := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for n := range total {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for {
					seed := next.Add(1) - 1
					if seed >= *firstFlag+*seedsFlag || failed.Load() {
						return
					}
					r := run(t, seed, false)
					done.Add(1)
					total[n].Add(r.Stats)
					if len(r.Violations) > 0 {
						failed.Store(true)
						whole := run(t, seed, true)
						report(t, whole, 60)
						if *shrinkFlag {
							reportShrunk(t, whole)
						}
						return
					}
				}
			})
		}
	})
	for _, s := range total[1:] {
		total[0].Add(s)
	}
	took := time.Since(begin)
	t.Logf("%d seeds in %s, %.0f a minute: %+v", done.Load(), took.Round(time.Millisecond), float64(done.Load())/took.Minutes(), total[0])
}

// TestReplay: a seed is the whole of a run.
func TestReplay(t *testing.T) {
	t.Parallel()
	hashes := map[uint64]uint64{}
	for seed := uint64(1); seed <= 40; seed++ {
		one, again := run(t, seed, false), run(t, seed, true)
		if one.Hash != again.Hash {
			t.Fatalf("seed %d gave two runs: %016x and %016x", seed, one.Hash, again.Hash)
		}
		if other, ok := hashes[one.Hash]; ok {
			t.Fatalf("seeds %d and %d gave the same run", seed, other)
		}
		hashes[one.Hash] = seed
	}
}

// What a check waits for does happen: an invariant about endpoints that open
// holds nothing to account when none is seen to open.
func TestRunsExercise(t *testing.T) {
	t.Parallel()
	var sum simulation.Stats
	for seed := uint64(1); seed <= 40; seed++ {
		sum.Add(run(t, seed, false).Stats)
	}
	for what, n := range map[string]int{
		"a timer of a function's own goes off":            sum.Timers,
		"a function goes on while another is suspended":   sum.Switches,
		"a circuit opens":                                 sum.Opened,
		"an endpoint is disabled":                         sum.Disabled,
		"a function is killed":                            sum.Kills,
		"two functions write the same record":             sum.Conflicts,
		"an operator settles what nobody can be asked of": sum.Settled,
	} {
		if n == 0 {
			t.Errorf("in 40 runs it never happens that %s", what)
		}
	}
}
