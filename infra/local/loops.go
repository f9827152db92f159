package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/cloud"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/gateway"
)

// scheduleEvery is shorter than the template's minute: on a laptop somebody is
// watching.
const scheduleEvery = 2 * time.Second

// startLoops runs what the template feeds from the queue and by schedule.
func (s *system) startLoops(ctx context.Context, w cloud.Wiring, g *gateway.Gateway, refunds *gateway.Refunds) error {
	ctx, cancel := context.WithCancel(ctx)
	s.stops = append(s.stops, func() { cancel(); s.background.Wait() })
	for _, function := range w.Consumers {
		if function != "forwarder" {
			return fmt.Errorf("template: queue consumer %s has no handler here", function)
		}
		forward := s.parts.Forwarder().Handle
		s.background.Go(func() { s.consume(ctx, forward) })
	}
	for _, function := range w.Scheduled {
		if function != "reconciler" {
			return fmt.Errorf("template: scheduled function %s has no handler here", function)
		}
		reconcile := payments.Scheduled(s.parts.Sweeper(), g, refunds, s.parts.Beat)
		run := func(ctx context.Context) {
			work, cancel := context.WithTimeout(ctx, cloud.RunLimit)
			defer cancel()
			if err := reconcile(work); err != nil && ctx.Err() == nil {
				s.parts.Log.ErrorContext(ctx, "local.reconcile_failed", "error", err.Error())
			}
		}
		s.background.Go(func() { run(ctx); cloud.Every(ctx, scheduleEvery, run) })
	}
	return nil
}

// consume is the event source mapping: batches of messages, of which those
// that did not fail are deleted. Batches run side by side, so that a slow app
// does not hold up the next batch.
func (s *system) consume(ctx context.Context, forward func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) {
	const concurrency = 4
	slots := make(chan struct{}, concurrency)
	for ctx.Err() == nil {
		received, err := s.store.receive(ctx)
		if err != nil {
			if ctx.Err() == nil {
				s.parts.Log.ErrorContext(ctx, "local.receive_failed", "error", err.Error())
				rest(ctx, time.Second)
			}
			continue
		}
		if len(received) == 0 {
			continue
		}
		slots <- struct{}{}
		s.background.Go(func() {
			defer func() { <-slots }()
			batch := cloud.NewBatch(received)
			work, cancel := context.WithTimeout(context.WithoutCancel(ctx), cloud.Visibility/6)
			defer cancel()
			response, err := forward(work, batch.Event)
			if err != nil {
				return // the whole batch comes again
			}
			done, err := batch.Done(response)
			if err := errors.Join(err, s.store.queue.Delete(work, done...)); err != nil {
				s.parts.Log.WarnContext(ctx, "local.delete_failed", "error", err.Error())
			}
		})
	}
}

// rest waits between rounds, or ends with the context.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
