package cloud

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/queue"
)

// What template.yaml says of the delivery queue.
const (
	BatchSize  = 10
	Visibility = 3 * time.Minute // six times the forwarder's timeout
)

// Batch is messages as the event source mapping hands them to a function.
type Batch struct {
	Event    events.SQSEvent
	receipts map[string]string // by message id
}

// NewBatch makes one.
func NewBatch(received []queue.Received) Batch {
	b := Batch{receipts: map[string]string{}}
	b.Event.Records = make([]events.SQSMessage, 0, len(received))
	for _, m := range received {
		b.Event.Records = append(b.Event.Records, events.SQSMessage{
			MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, EventSource: "aws:sqs",
			Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(m.Receives), "MessageGroupId": m.Group},
		})
		b.receipts[m.ID] = m.Receipt
	}
	return b
}

// Done lists the receipts of the messages that a function's response lets be
// deleted. An error names a failure of a message that was not in the batch.
func (b Batch) Done(response events.SQSEventResponse) (receipts []string, err error) {
	left := maps.Clone(b.receipts)
	for _, f := range response.BatchItemFailures {
		if left[f.ItemIdentifier] == "" {
			err = fmt.Errorf("failure of %q, which was not in the batch", f.ItemIdentifier)
		}
		delete(left, f.ItemIdentifier)
	}
	return slices.Collect(maps.Values(left)), err
}
