package endtoend

import (
	"context"
	"strings"
	"testing"
	"time"

	"errors"
	"github.com/aws/aws-lambda-go/events"
	"momoproxy/infra/cloud"
	"momoproxy/shared/queue"
)

// receive takes n messages from the queue, as the event source mapping does,
// hidden for a while. It makes the forwarder's event of them.
func (w *world) receive(t *testing.T, n int, hidden time.Duration) cloud.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []queue.Received
	for len(all) < n {
		got, err := w.queue.Receive(ctx, min(10, n-len(all)), hidden, 5*time.Second)
		if err != nil {
			t.Fatalf("%d of %d messages came: %v", len(all), n, err)
		}
		all = append(all, got...)
	}
	return cloud.NewBatch(all)
}

// settle deletes the messages that did not fail and returns those that did.
func (w *world) settle(t *testing.T, batch cloud.Batch, response events.SQSEventResponse) (failed []string) {
	t.Helper()
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	done, err := batch.Done(response)
	if err := errors.Join(err, w.queue.Delete(t.Context(), done...)); err != nil {
		t.Error(err)
	}
	return failed
}

// waiting is how many messages the queue holds, and the dead letters.
func (w *world) waiting(t *testing.T) (waiting, dead int) {
	t.Helper()
	waiting, dead, err := w.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return waiting, dead
}

// forwardUntil hands the queue's messages, one by one, to the forwarder that
// may deliver to this machine, until one about this payment is done. Messages
// about others, due again on their own schedules, may come between.
func (w *world) forwardUntil(t *testing.T, reference string) {
	t.Helper()
	for {
		batch := w.receive(t, 1, time.Minute)
		response, err := w.parts.Forwarder().Handle(t.Context(), batch.Event)
		if err != nil {
			t.Fatal(err)
		}
		w.settle(t, batch, response)
		if strings.Contains(batch.Event.Records[0].Body, reference) {
			return
		}
	}
}

// deployedForwardUntil is forwardUntil with the deployed forwarder.
func (w *world) deployedForwardUntil(t *testing.T, reference string) {
	t.Helper()
	for {
		batch := w.receive(t, 1, time.Minute)
		var response events.SQSEventResponse
		if err := w.processes["forwarder"].call(t.Context(), batch.Event, &response); err != nil {
			t.Fatal(err)
		}
		w.settle(t, batch, response)
		if strings.Contains(batch.Event.Records[0].Body, reference) {
			return
		}
	}
}
