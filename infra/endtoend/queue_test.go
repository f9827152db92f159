package endtoend

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// receive takes n messages from the queue, as the event source mapping does,
// hidden for a while. It makes the forwarder's event of them.
func (w *world) receive(t *testing.T, n int, hidden time.Duration) (events.SQSEvent, map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var batch events.SQSEvent
	receipts := map[string]string{}
	for len(batch.Records) < n {
		got, err := w.queue.Receive(ctx, min(10, n-len(batch.Records)), hidden, 5*time.Second)
		if err != nil {
			t.Fatalf("%d of %d messages came: %v", len(batch.Records), n, err)
		}
		for _, m := range got {
			batch.Records = append(batch.Records, events.SQSMessage{
				MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, EventSource: "aws:sqs", AWSRegion: region,
				Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Receives), "MessageGroupId": m.Group},
			})
			receipts[m.ID] = m.Receipt
		}
	}
	return batch, receipts
}

// settle deletes the messages that did not fail and returns those that did.
func (w *world) settle(t *testing.T, response events.SQSEventResponse, receipts map[string]string) (failed []string) {
	t.Helper()
	for _, f := range response.BatchItemFailures {
		if receipts[f.ItemIdentifier] == "" {
			t.Errorf("failure of %q, which was not in the batch", f.ItemIdentifier)
		}
		delete(receipts, f.ItemIdentifier)
		failed = append(failed, f.ItemIdentifier)
	}
	for _, receipt := range receipts {
		if err := w.queue.Delete(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
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
		batch, receipts := w.receive(t, 1, time.Minute)
		response, err := w.parts.Forwarder().Handle(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		w.settle(t, response, receipts)
		if strings.Contains(batch.Records[0].Body, reference) {
			return
		}
	}
}

// deployedForwardUntil is forwardUntil with the deployed forwarder.
func (w *world) deployedForwardUntil(t *testing.T, reference string) {
	t.Helper()
	for {
		batch, receipts := w.receive(t, 1, time.Minute)
		var response events.SQSEventResponse
		if err := w.processes["forwarder"].call(t.Context(), batch, &response); err != nil {
			t.Fatal(err)
		}
		w.settle(t, response, receipts)
		if strings.Contains(batch.Records[0].Body, reference) {
			return
		}
	}
}
