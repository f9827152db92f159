package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/queue"
)

const (
	visibility  = 3 * time.Minute // as template.yaml has it
	maxReceives = 5
)

// queueWire is the way from a function to the queue. Its other end is the
// event source that invokes the forwarder, so nobody receives by hand.
type queueWire struct{ w *world }

var _ queue.Queue = queueWire{}

var errQueue = errors.New("connection to the queue lost")

func (q queueWire) Send(ctx context.Context, messages ...queue.Message) error {
	if err := queue.CheckSend(messages); err != nil {
		q.w.violate(NoPanic, "queue refuses: %v", err)
		return err
	}
	w := q.w
	w.note("send", messages[0].Body)
	w.before()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failed := w.chance(w.rates.queueFails)
	for _, m := range messages {
		if failed && w.chance(0.5) {
			continue // of a batch that fails some are sent
		}
		w.enqueue(m)
	}
	w.afterwards()
	if failed {
		w.note("  send fails")
		return errQueue
	}
	return ctx.Err()
}

// enqueue is what the queue makes of a message.
func (w *world) enqueue(m queue.Message) {
	if w.chance(w.rates.messageLost) {
		w.note("  message lost")
		return
	}
	copies := 1
	if w.chance(w.rates.messageTwice) {
		copies = 2
	}
	for range copies {
		delay := queue.WholeSeconds(m.Delay) + w.between(0, 50*time.Millisecond)
		if w.chance(w.rates.messageLate) {
			delay += w.between(0, 5*time.Minute)
		}
		w.books.messages++
		id := fmt.Sprintf("m%d", w.books.messages)
		w.anytime(delay, "message "+id, func() { w.consume(id, m, 1) })
	}
}

// consume invokes the forwarder with one message, and again when that fails.
func (w *world) consume(id string, m queue.Message, receives int) {
	var response events.SQSEventResponse
	_, ok := w.invoke(forwarding, func(ctx context.Context, i *instance) {
		response, _ = i.forward.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: id, Body: m.Body}}})
	})
	if ok && len(response.BatchItemFailures) == 0 {
		return
	}
	if receives < maxReceives {
		w.anytime(visibility, "message "+id+" again", func() { w.consume(id, m, receives+1) })
	}
}

func (queueWire) Receive(context.Context, int, time.Duration, time.Duration) ([]queue.Received, error) {
	return nil, errors.New("not simulated")
}

func (queueWire) Delete(context.Context, ...string) error { return errors.New("not simulated") }

func (queueWire) Depth(context.Context) (int, int, error) { return 0, 0, errors.New("not simulated") }
