// Command soak runs the local system as its users do, for a while, and breaks
// it meanwhile: apps buy and ask, the three providers' stand-ins lose answers
// and lie within the documented faults, apps' servers fail, and the process is
// killed and started again. Then everything gets time to come to rest, and the
// books are compared: the providers', ours as they are in the SQLite file, and
// the apps'.
//
//	go run ./infra/soak -duration 2m
//
// With -old another revision works beside this tree on the same data, as during
// a deployment (versions.go).
//
// It ends with 0 when every promise was held, else with 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	duration time.Duration
	rest     time.Duration
	rate     float64 // requests to pay per second, over all apps
	seed     uint64
	keep     bool
	old      string // a revision that works beside this tree; empty: none
	back     bool   // this tree first, and the old revision at the end
}

func main() {
	var o options
	flag.DurationVar(&o.duration, "duration", 2*time.Minute, "how long there is load")
	flag.DurationVar(&o.rest, "rest", 0, "how long everything may take to come to rest afterwards; 0: as long as promised")
	flag.Float64Var(&o.rate, "rate", 8, "requests to pay per second")
	flag.Uint64Var(&o.seed, "seed", 0, "of the load and the faults; 0: another each time. Their timing is the machine's, so a seed does not replay a run")
	flag.BoolVar(&o.keep, "keep", false, "keep the database and the log in any case; they are kept when the run fails")
	flag.StringVar(&o.old, "old", "", "a `revision` of the code that works beside this tree on the same data, as during a deployment: first it alone, then both, then this tree alone")
	flag.BoolVar(&o.back, "back", false, "with -old the other way round, as when a deployment is rolled back")
	flag.Parse()
	if flag.NArg() > 0 || o.back && o.old == "" || o.duration <= 0 || o.rate <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	if o.rest == 0 {
		// The next question about a payment comes before its age has doubled
		// (payment.Policy.NextCheck): the oldest is as old as the load then. The
		// rest is for the schedule, and for deliveries that were postponed.
		o.rest = o.duration + 8*time.Minute
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run is one soak. An interrupt ends the load early; the books are compared
// all the same.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	w, err := newWorld(o)
	if err != nil {
		return err
	}
	defer func() {
		w.close()
		if err != nil || o.keep {
			fmt.Fprintf(out, "database and log are in %s\n", w.data)
		} else {
			_ = os.RemoveAll(w.dir)
		}
	}()
	fmt.Fprintf(out, "soak: %s of load at %g payments a second, seed %d\n", o.duration, o.rate, o.seed)
	if len(w.sides) > 1 {
		fmt.Fprintf(out, "soak: two versions: %s\n", w.versions())
	}
	if err := w.load(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "soak: %d killed, %d faults of providers; coming to rest\n", w.kills, w.rules.Load())
	waited, err := w.comeToRest(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	b, err := w.books(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "soak: at rest after %s\n%s", waited.Round(time.Second), b.summary())
	faults := b.faults()
	for _, f := range faults {
		fmt.Fprintln(out, "BROKEN:", f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d promises were broken", len(faults))
	}
	if err := w.verify(context.WithoutCancel(ctx), out); err != nil {
		return err
	}
	fmt.Fprintln(out, "soak: every promise was held")
	return nil
}
