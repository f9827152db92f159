// Command deliveries measures the delivery of callbacks: how many a second,
// and what one app that hangs costs the others. Everything is the product's
// own (queue, ledger, forwarder, signatures, guarded client); the apps are
// real HTTP servers in a second process, which verify both signatures. Only
// AWS is played: batches of ten, twenty at once, as template.yaml has it.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == receiveArgument {
		exit(receive(os.Stdin, os.Stdout))
	}
	var o options
	flag.StringVar(&o.store, "store", "memory", "memory or sqlite")
	flag.IntVar(&o.apps, "apps", 10, "apps")
	flag.IntVar(&o.n, "n", 10000, "deliveries in a throughput run")
	flag.IntVar(&o.runs, "runs", 5, "runs; for throughput medians are told, for -fairness all runs as one")
	flag.BoolVar(&o.fair, "fairness", false, "measure what a dead app costs the others, instead of throughput")
	flag.BoolVar(&o.live, "live", false, "make the events while they are delivered, instead of before")
	flag.Float64Var(&o.rate, "rate", 5, "with -fairness: events a second, of each app")
	flag.DurationVar(&o.duration, "for", 20*time.Second, "with -fairness: length of a run")
	profile := flag.String("cpuprofile", "", "write a processor profile")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			exit(err)
		}
		defer pprof.StopCPUProfile()
	}
	var err error
	if o.fair {
		err = o.measureFairness()
	} else {
		err = o.measureThroughput()
	}
	if err != nil {
		pprof.StopCPUProfile()
		exit(err)
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "deliveries:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	store    string
	apps     int
	n, runs  int
	fair     bool
	live     bool
	rate     float64
	duration time.Duration
}

func (o options) measureThroughput() error {
	measure, kind := throughput, "from a backlog"
	if o.live {
		measure, kind = live, "while they are made"
	}
	fmt.Printf("%d deliveries to %d apps, %s, store %s, %d processors; CPU of the apps apart\n", o.n, o.apps, kind, o.store, runtime.GOMAXPROCS(0))
	var flows []flow
	row := func(name string, f flow) {
		fmt.Printf("%-7s %6.0f/s  p50 %8v  p99 %8v  CPU %8v  of the apps %8v  %5.0f allocations  %5.1f KiB\n", name,
			f.PerSecond, short(f.P50), short(f.P99), short(f.CPU), short(f.AppCPU), f.Allocations, f.Bytes/1024)
	}
	for i := range o.runs {
		f, err := measure(context.Background(), o.store, o.apps, o.n)
		if err != nil {
			return err
		}
		row(fmt.Sprint("run ", i+1), f)
		flows = append(flows, f)
	}
	row("median", flow{
		PerSecond: median(flows, func(f flow) float64 { return f.PerSecond }),
		P50:       median(flows, func(f flow) time.Duration { return f.P50 }), P99: median(flows, func(f flow) time.Duration { return f.P99 }),
		CPU: median(flows, func(f flow) time.Duration { return f.CPU }), AppCPU: median(flows, func(f flow) time.Duration { return f.AppCPU }),
		Allocations: median(flows, func(f flow) float64 { return f.Allocations }), Bytes: median(flows, func(f flow) float64 { return f.Bytes }),
	})
	return nil
}

func (o options) measureFairness() error {
	fmt.Printf("%d apps with %g events a second each for %v, store %s; the times are those of %d apps, from event to 2xx\n",
		o.apps, o.rate, o.duration, o.store, o.apps-1)
	row := func(name string, r wellness) {
		fmt.Printf("%-18s %6d events  p50 %8v  p99 %8v  slowest %8v  %2d batches at once  %d attempts hung\n", name, len(r.Times),
			short(percentile(r.Times, 50)), short(percentile(r.Times, 99)), short(percentile(r.Times, 100)), r.Busiest, r.Hung)
	}
	names := [2]string{"all well", "one hangs"}
	var sum [2]wellness
	for i := range o.runs {
		for dead, name := range names {
			r, err := paced(context.Background(), o.store, o.apps, dead, 1, o.rate, o.duration)
			if err != nil {
				return err
			}
			row(fmt.Sprintf("run %d, %s", i+1, name), r)
			sum[dead].Times = append(sum[dead].Times, r.Times...)
			sum[dead].Busiest, sum[dead].Hung = max(sum[dead].Busiest, r.Busiest), sum[dead].Hung+r.Hung
		}
	}
	for dead, name := range names {
		row("all runs, "+name, sum[dead])
	}
	fmt.Printf("ratio of p99 over all runs: %.2f\n", float64(percentile(sum[1].Times, 99))/float64(percentile(sum[0].Times, 99)))
	return nil
}

// percentile is the smallest value that p per cent are not above; 0 of none.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max((len(sorted)*p+99)/100, 1)-1]
}

func median[T any, V cmp.Ordered](all []T, of func(T) V) V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// short leaves three or four digits.
func short(d time.Duration) time.Duration {
	for unit := time.Microsecond; unit < time.Second; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second / 10)
}
