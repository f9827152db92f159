package sqs

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"momoproxy/shared/queue"
)

var _ queue.DeadLetters = (*Queue)(nil)

// deadWait makes SQS ask all its servers: without a wait it asks some, and
// may find nothing where there is something.
const deadWait = 1 // second

// TakeDead implements queue.DeadLetters. SQS keeps the time of sending when it
// moves a message to the dead-letter queue.
func (q *Queue) TakeDead(ctx context.Context, max int, visibility time.Duration) ([]queue.DeadLetter, error) {
	if err := queue.CheckReceive(max, visibility, 0); err != nil {
		return nil, err
	}
	if q.deadURL == "" {
		return nil, queue.ErrNoDeadLetters
	}
	out, err := q.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.deadURL,
		MaxNumberOfMessages: int32(max),
		VisibilityTimeout:   seconds(visibility),
		WaitTimeSeconds:     deadWait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameSentTimestamp,
			types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, failed(ctx, "take dead letters", err)
	}
	var got []queue.DeadLetter
	for _, m := range out.Messages {
		d := queue.DeadLetter{
			ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
			Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		}
		if ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64); err == nil {
			d.SentAt = time.UnixMilli(ms).UTC()
		}
		got = append(got, d)
	}
	return got, nil
}

// DeleteDead implements queue.DeadLetters.
func (q *Queue) DeleteDead(ctx context.Context, receipts ...string) error {
	if q.deadURL == "" {
		return queue.ErrNoDeadLetters
	}
	return New(q.api, q.deadURL).Delete(ctx, receipts...)
}
