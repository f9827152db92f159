// Command endtoend measures the local system as its apps see it: from the
// request to pay to the callback that the app has verified, over SQLite. The
// load is open: requests begin by the clock, whether or not earlier ones are
// answered, and each is timed from when it should have begun. The gateway is a
// process of its own; the providers' stand-ins and the apps are in this one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

type options struct {
	rate     float64
	duration time.Duration
	apps     int
	rest     time.Duration
	fill     int
	every    time.Duration
}

// approve is how long a payer takes. It is not ours, and is taken off.
const approve = 100 * time.Millisecond

func main() {
	var o options
	flag.Float64Var(&o.rate, "rate", 250, "requests to pay per second, over all apps")
	flag.DurationVar(&o.duration, "for", 20*time.Second, "how long there is load")
	flag.IntVar(&o.apps, "apps", 30, "apps; one may send twenty requests a second")
	flag.DurationVar(&o.rest, "rest", 20*time.Second, "how long the last callbacks may take")
	flag.IntVar(&o.fill, "fill", 0, "measure once more after so many ended payments were added to the file")
	flag.DurationVar(&o.every, "every", 0, "print the gateway's memory at this interval; 0: after a tenth and at the end")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "endtoend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Printf("%g payments a second for %v over %d apps, SQLite, %d processors; a payer's %v are taken off\n",
		o.rate, o.duration, o.apps, runtime.NumCPU(), approve)
	if err := w.measure(ctx); err != nil || o.fill == 0 {
		return err
	}
	if err := w.fill(ctx, o.fill); err != nil {
		return err
	}
	return w.measure(ctx)
}

// measure is one load with its report.
func (w *world) measure(ctx context.Context) error {
	w.load(ctx)
	fmt.Printf("%-12s %8s %9s %9s %9s %9s %9s %9s %9s\n", "provider", "asked", "accepted", "called", "refused", "answer50", "answer99", "call p50", "call p99")
	for _, name := range append(w.names(), "") {
		w.report(name)
	}
	fmt.Printf("resident memory of the gateway: %.1f MB after a tenth, %.1f MB at the end; its processor time for a payment: %v\n",
		float64(w.memory[0])/1e6, float64(w.memory[1])/1e6, w.cpu.Round(time.Microsecond))
	if n := w.errors.taken(); n > 0 {
		fmt.Printf("the gateway logged %d errors\n", n)
	}
	if w.unverified.Load() > 0 {
		return fmt.Errorf("%d callbacks did not verify", w.unverified.Load())
	}
	return nil
}

// percentile is the smallest value that p per cent are not above; 0 of none.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[max((len(values)*p+99)/100, 1)-1].Round(time.Millisecond / 10)
}
