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

// live delivers n events while they are made: each app's producer starts a
// payment, ends it and rings, and then makes the next, without waiting for the
// delivery. The rate is of all, from the first payment to the last delivery;
// the times are from an event's transaction to the app's 2xx.
func live(ctx context.Context, store string, apps, n int) (flow, error) {
	w, err := newWorld(ctx, store, apps, 0)
	if err != nil {
		return flow{}, err
	}
	var mu sync.Mutex
	var all []delivery.Delivery
	var began []time.Time
	var faults []error
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begin := processorTime(), time.Now()

	delivering, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	m := &mapping{w: w, until: int64(n), done: cancel}
	var making sync.WaitGroup
	for i, a := range w.apps {
		share := (n + i) / len(w.apps)
		making.Go(func() {
			for range share {
				at, d, err := w.produce(delivering, a)
				mu.Lock()
				if err != nil {
					faults = append(faults, err)
					mu.Unlock()
					cancel()
					return
				}
				all, began = append(all, d), append(began, at)
				mu.Unlock()
			}
		})
	}
	err = m.run(delivering)
	took := time.Since(begin)
	cpu = processorTime() - cpu
	runtime.ReadMemStats(&after)
	making.Wait()
	if err := errors.Join(append(faults, err, m.fault())...); err != nil {
		return flow{}, err
	}

	times := make([]time.Duration, 0, n)
	for i, d := range all {
		times = append(times, w.taken.of(d.EventID).Sub(began[i]))
	}
	if err := w.check(ctx, all); err != nil {
		return flow{}, err
	}
	saw, err := w.stop()
	if err == nil && (saw.Verified != n || saw.Refused+saw.Repeated > 0) {
		err = fmt.Errorf("of %d events the apps verified %d, saw %d again and refused %d", n, saw.Verified, saw.Repeated, saw.Refused)
	}
	count := float64(n)
	return flow{
		Deliveries: n, PerSecond: count / took.Seconds(), P50: percentile(times, 50), P99: percentile(times, 99),
		CPU: cpu / time.Duration(n), AppCPU: saw.CPU / time.Duration(n),
		Allocations: float64(after.Mallocs-before.Mallocs) / count, Bytes: float64(after.TotalAlloc-before.TotalAlloc) / count,
	}, err
}

// produce makes one event and rings for it. The time is that before its
// transaction.
func (w *world) produce(ctx context.Context, a app) (time.Time, delivery.Delivery, error) {
	payments, err := w.start(ctx, a, 1)
	if err != nil {
		return time.Time{}, delivery.Delivery{}, err
	}
	at := time.Now()
	d, err := w.end(ctx, payments[0])
	if err == nil {
		err = w.bell.Ring(ctx, d)
	}
	return at, d, err
}
