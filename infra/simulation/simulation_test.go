package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"momoproxy/infra/simulation"
)

var (
	seedFlag   = flag.Uint64("seed", 0, "replay one seed; with -v its whole trace")
	seedsFlag  = flag.Uint64("seeds", 1200, "how many seeds to run")
	onlyFlag   = flag.String("only", "", "look at this invariant alone")
	nestedFlag = flag.Bool("nested", false, "what begins while a function waits ends before that function goes on")
	firstFlag  = flag.Uint64("first", 1, "the first seed to run")
)

// run lives one seed through in a bubble of its own.
func run(t *testing.T, seed uint64, trace bool) (r simulation.Result) {
	synctest.Test(t, func(*testing.T) {
		r = simulation.Run(simulation.Options{Seed: seed, Trace: trace, Settle: synctest.Wait, Nested: *nestedFlag, Only: simulation.Invariant(*onlyFlag)})
	})
	return r
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
						report(t, run(t, seed, true), 60)
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

// The functions' own timers go off in runs, too: what protects the others from
// an app that hangs is at work.
func TestTimersGoOff(t *testing.T) {
	t.Parallel()
	var sum simulation.Stats
	for seed := uint64(1); seed <= 40; seed++ {
		sum.Add(run(t, seed, false).Stats)
	}
	if sum.Timers == 0 {
		t.Error("no timer went off in 40 runs")
	}
	t.Logf("%d timers", sum.Timers)
}
