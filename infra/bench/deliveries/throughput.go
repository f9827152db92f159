package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"momoproxy/shared/delivery"
)

// flow is what one throughput run brought.
type flow struct {
	Deliveries int
	PerSecond  float64
	// From the receipt of a delivery's message by the function to the app's 2xx.
	P50, P99 time.Duration
	// Of the forwarder, the adapters and the loops that stand for AWS; and of
	// the apps.
	CPU, AppCPU time.Duration
	Allocations float64
	Bytes       float64
}

// meter is what a run has used.
type meter struct {
	took, cpu          time.Duration
	allocations, bytes uint64

	began time.Time
}

// startMeter begins to measure, once what the preparation left behind is gone.
func startMeter() *meter {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	return &meter{cpu: -processorTime(), allocations: -before.Mallocs, bytes: -before.TotalAlloc, began: time.Now()}
}

func (m *meter) stop() {
	m.took = time.Since(m.began)
	m.cpu += processorTime()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	m.allocations, m.bytes = m.allocations+after.Mallocs, m.bytes+after.TotalAlloc
}

// flow sums a run of n deliveries up, which all have to have been verified.
func (w *world) flow(used *meter, n int, times []time.Duration) (flow, error) {
	saw, err := w.stop()
	if err == nil && (saw.Verified != n || saw.Refused+saw.Repeated > 0) {
		err = fmt.Errorf("of %d events the apps verified %d, saw %d again and refused %d", n, saw.Verified, saw.Repeated, saw.Refused)
	}
	count := float64(n)
	return flow{
		Deliveries: n, PerSecond: count / used.took.Seconds(), P50: percentile(times, 50), P99: percentile(times, 99),
		CPU: used.cpu / time.Duration(n), AppCPU: saw.CPU / time.Duration(n),
		Allocations: float64(used.allocations) / count, Bytes: float64(used.bytes) / count,
	}, err
}

// throughput delivers a backlog of n events as fast as it can.
func throughput(ctx context.Context, store string, apps, n int) (f flow, err error) {
	w, err := newWorld(ctx, store, apps, 0)
	if err != nil {
		return flow{}, err
	}
	backlog, err := w.backlog(ctx, n)
	if err != nil {
		return flow{}, err
	}
	for start := 0; start < len(backlog); start += 100 {
		if err := w.bell.Ring(ctx, backlog[start:min(start+100, len(backlog))]...); err != nil {
			return flow{}, err
		}
	}
	used := startMeter()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	m := &mapping{w: w, until: int64(n), done: cancel, received: map[string]time.Time{}}
	if err := errors.Join(m.run(ctx), m.fault()); err != nil {
		return flow{}, err
	}
	used.stop()
	times := make([]time.Duration, 0, n)
	for _, d := range backlog {
		times = append(times, w.taken.of(d.EventID).Sub(m.received[d.Reference]))
	}
	if err := w.check(context.Background(), backlog); err != nil {
		return flow{}, err
	}
	return w.flow(used, n, times)
}

// backlog makes n events, spread over the apps.
func (w *world) backlog(ctx context.Context, n int) ([]delivery.Delivery, error) {
	var mu sync.Mutex
	var all []delivery.Delivery
	var faults []error
	var making sync.WaitGroup
	for i, a := range w.apps {
		share := n / len(w.apps)
		if i < n%len(w.apps) {
			share++
		}
		making.Go(func() {
			payments, err := w.start(ctx, a, share)
			made := make([]delivery.Delivery, 0, share)
			for _, p := range payments {
				var d delivery.Delivery
				if d, err = w.end(ctx, p); err != nil {
					break
				}
				made = append(made, d)
			}
			mu.Lock()
			defer mu.Unlock()
			all, faults = append(all, made...), append(faults, err)
		})
	}
	making.Wait()
	return all, errors.Join(faults...)
}

// check looks whether what was measured was all there is to a delivery.
func (w *world) check(ctx context.Context, backlog []delivery.Delivery) error {
	for _, made := range backlog {
		story, err := w.ledger.Story(ctx, made.Reference)
		if err != nil {
			return err
		}
		trail, err := w.ledger.AuditTrail(ctx, made.Reference)
		if err != nil {
			return err
		}
		if len(story.Deliveries) != 1 || story.Deliveries[0].State != delivery.Delivered || len(story.Attempts) != 1 || len(trail) != 1 {
			return fmt.Errorf("payment %s: %d deliveries, %d attempts and %d audit records are stored, want one delivered, and one each",
				made.Reference, len(story.Deliveries), len(story.Attempts), len(trail))
		}
	}
	return nil
}
