package main

import (
	"context"
	"errors"
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
	used := startMeter()
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
	used.stop()
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
	return w.flow(used, n, times)
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
