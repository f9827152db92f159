package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// deadSuffix names the dead-letter queue after its queue.
const deadSuffix = "-dead"

// retention of both queues in seconds: SQS's longest, 14 days.
const retention = "1209600"

// Create makes the queue and its dead-letter queue, named name and
// name-dead, if they are not there, and returns them ready for use.
// maxReceives (1 to 1,000) is when SQS moves a message over; a queue that is
// there with another number is an error. For tests and
// local work: in a deployment the template makes the queues.
func Create(ctx context.Context, client *sqs.Client, name string, maxReceives int) (*Queue, error) {
	dead, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName:  new(name + deadSuffix),
		Attributes: map[string]string{string(types.QueueAttributeNameMessageRetentionPeriod): retention},
	})
	if err != nil {
		return nil, failed(ctx, "create "+name+deadSuffix, err)
	}
	arn, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       dead.QueueUrl,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, failed(ctx, "create "+name+deadSuffix, err)
	}
	redrive, err := json.Marshal(map[string]string{
		"deadLetterTargetArn": arn.Attributes[string(types.QueueAttributeNameQueueArn)],
		"maxReceiveCount":     strconv.Itoa(maxReceives),
	})
	if err != nil {
		return nil, fmt.Errorf("sqs: create %s: %w", name, err)
	}
	created, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: &name,
		Attributes: map[string]string{
			string(types.QueueAttributeNameMessageRetentionPeriod): retention,
			string(types.QueueAttributeNameRedrivePolicy):          string(redrive),
		},
	})
	if err != nil {
		return nil, failed(ctx, "create "+name, err)
	}
	return New(client, *created.QueueUrl, *dead.QueueUrl), nil
}

// URLs are the addresses of the queue and of its dead-letter queue (empty if
// New got none).
func (q *Queue) URLs() (queueURL, deadLetterURL string) { return q.url, q.deadURL }
