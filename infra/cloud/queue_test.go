package cloud_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/infra/cloud"
	"momoproxy/shared/queue"
)

// A message is deleted unless the function named it as failed.
func TestWhatFailedStays(t *testing.T) {
	t.Parallel()
	var got []queue.Received
	for _, id := range []string{"1", "2", "3"} {
		got = append(got, queue.Received{ID: id, Receipt: "receipt " + id})
	}
	batch := cloud.NewBatch(got)
	if len(batch.Event.Records) != 3 || batch.Event.Records[1].ReceiptHandle != "receipt 2" {
		t.Fatalf("%+v", batch.Event)
	}
	response := func(failed ...string) (r events.SQSEventResponse) {
		for _, id := range failed {
			r.BatchItemFailures = append(r.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		return r
	}
	done, err := batch.Done(response("2"))
	if slices.Sort(done); err != nil || !slices.Equal(done, []string{"receipt 1", "receipt 3"}) {
		t.Errorf("%v %v", done, err)
	}
	if _, err := batch.Done(response("4")); err == nil {
		t.Error("a failure of a message that was not there is taken")
	}
}
