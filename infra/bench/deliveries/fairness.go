package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// wellness is what one fairness run brought.
type wellness struct {
	Times   []time.Duration // of the apps that are well; each event was delivered
	Busiest int64           // batches at once
	Hung    int             // attempts at the dead apps
}

// paced makes perSecond events of each app every second for the time given,
// with the first dead of the apps hanging, and measures from an event's
// transaction to the app's 2xx, for the apps from skip on: so that the apps
// counted are the same with dead ones and without.
func paced(ctx context.Context, store string, apps, dead, skip int, perSecond float64, duration time.Duration) (wellness, error) {
	w, err := newWorld(ctx, store, apps, dead)
	if err != nil {
		return wellness{}, err
	}
	each := int(perSecond * duration.Seconds())
	began := make([][]time.Time, apps)
	ids := make([][]string, apps)
	var faults []error
	var mu sync.Mutex
	note := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		faults = append(faults, err)
	}
	consuming, stop := context.WithCancel(ctx)
	m := &mapping{w: w}
	var running sync.WaitGroup
	var ready, making sync.WaitGroup
	ready.Add(apps)
	begin := make(chan struct{})
	apart := time.Duration(float64(time.Second) / perSecond)
	for i, a := range w.apps {
		making.Go(func() {
			payments, err := w.start(ctx, a, each)
			ready.Done()
			if err != nil {
				note(err)
				return
			}
			<-begin
			// The apps' events fall between one another's.
			next := time.Now().Add(apart * time.Duration(i) / time.Duration(apps))
			for _, p := range payments {
				time.Sleep(time.Until(next))
				next = next.Add(apart)
				at := time.Now()
				d, err := w.end(ctx, p)
				if err == nil {
					err = w.bell.Ring(ctx, d)
				}
				if err != nil {
					note(err)
					return
				}
				began[i], ids[i] = append(began[i], at), append(ids[i], d.EventID)
			}
		})
	}
	ready.Wait()
	running.Go(func() { note(m.run(consuming)) })
	close(begin)
	making.Wait()
	// What is on its way to the apps that are well arrives.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		missing := 0
		for i := skip; i < apps; i++ {
			for _, id := range ids[i] {
				if w.taken.of(id).IsZero() {
					missing++
				}
			}
		}
		if missing == 0 {
			break
		}
	}
	stop()
	running.Wait()

	var times []time.Duration
	for i := skip; i < apps; i++ {
		for n, id := range ids[i] {
			at := w.taken.of(id)
			if at.IsZero() {
				note(fmt.Errorf("event %s was not delivered", id))
				continue
			}
			times = append(times, at.Sub(began[i][n]))
		}
	}
	saw, err := w.stop()
	if saw.Refused > 0 {
		note(fmt.Errorf("the apps refused %d signatures", saw.Refused))
	}
	err = errors.Join(append(faults, err, m.fault())...)
	return wellness{times, m.busiest.Load(), saw.Hung}, err
}
