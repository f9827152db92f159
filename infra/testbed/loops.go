package testbed

import (
	"context"
	"sync"
	"time"

	"momoproxy/infra/cloud"
	"momoproxy/shared/assembly/payments"
)

// functionLimit stands for the timeouts of the functions, which differ in
// template.yaml.
const functionLimit = 29 * time.Second

// Pass lets time go by with everything at work: the queue feeds the
// forwarder, the reconciler runs on its schedule, MTN and its payers live on.
func (w *World) Pass(d time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { w.consume(ctx) })
	loops.Go(func() { cloud.Every(ctx, cloud.Interval, w.Reconcile) })
	time.Sleep(d)
	cancel()
	loops.Wait()
}

// consume is the event source mapping.
func (w *World) consume(ctx context.Context) {
	for ctx.Err() == nil {
		received, err := w.Messages.Receive(ctx, cloud.BatchSize, cloud.Visibility, 20*time.Second)
		if err != nil || len(received) == 0 {
			continue
		}
		batch := cloud.NewBatch(received)
		work, cancel := context.WithTimeout(context.WithoutCancel(ctx), functionLimit)
		response, err := w.Forwarder.Handle(work, batch.Event)
		cancel()
		if err != nil {
			w.t.Errorf("the forwarder returned an error: %v", err)
			continue
		}
		done, err := batch.Done(response)
		if err != nil {
			w.t.Error(err)
		}
		_ = w.Messages.Delete(context.Background(), done...) // the memory queue forgets nothing
	}
}

// Reconcile is one run of the reconciler. Its errors are the log's affair: the
// next run goes on.
func (w *World) Reconcile(ctx context.Context) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), cloud.RunLimit)
	defer cancel()
	_ = payments.Scheduled(w.Sweeper, w.Gateway, w.Refunds, w.beat)(work)
}
