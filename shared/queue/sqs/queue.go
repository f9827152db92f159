// Package sqs is the queue in Amazon SQS: a standard queue, with fair-queue
// groups, and the dead-letter queue that SQS itself moves messages to.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"momoproxy/shared/queue"
)

// API is what the adapter asks of SQS. *sqs.Client is one; its HTTP client
// must let a request last queue.MaxWait and a little more.
type API interface {
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
	GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

// Queue implements queue.Queue.
type Queue struct {
	api     API
	url     string
	deadURL string
}

var _ queue.Queue = (*Queue)(nil)

// New returns the queue at the URL. deadLetterURL, if given, is where Depth
// counts the dead letters; without it, it reports none. When a message
// becomes one is set at the queue itself (its redrive policy).
func New(api API, queueURL string, deadLetterURL ...string) *Queue {
	q := &Queue{api: api, url: queueURL}
	if len(deadLetterURL) > 0 {
		q.deadURL = deadLetterURL[0]
	}
	return q
}

// Receive implements queue.Queue. SQS keeps whole seconds: a fraction of
// visibility or wait is rounded up. An ended ctx may leave messages in flight
// that SQS was handing out just then; their visibility brings them back.
func (q *Queue) Receive(ctx context.Context, max int, visibility, wait time.Duration) ([]queue.Received, error) {
	if err := queue.CheckReceive(max, visibility, wait); err != nil {
		return nil, err
	}
	out, err := q.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:            &q.url,
		MaxNumberOfMessages: int32(max),
		VisibilityTimeout:   seconds(visibility),
		WaitTimeSeconds:     seconds(wait),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameApproximateReceiveCount,
			types.MessageSystemAttributeNameMessageGroupId,
		},
	})
	if err != nil {
		return nil, failed(ctx, "receive", err)
	}
	var got []queue.Received
	for _, m := range out.Messages {
		r := queue.Received{
			ID:      aws.ToString(m.MessageId),
			Receipt: aws.ToString(m.ReceiptHandle),
			Body:    aws.ToString(m.Body),
			Group:   m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		}
		r.Receives, _ = strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
		if r.Receives < 1 {
			r.Receives = 1 // it was received just now, whatever SQS counted
		}
		got = append(got, r)
	}
	return got, nil
}

// Depth implements queue.Queue with SQS's approximate numbers, which lag by
// up to a minute.
func (q *Queue) Depth(ctx context.Context) (waiting, dead int, err error) {
	if waiting, err = q.count(ctx, q.url); err != nil {
		return 0, 0, failed(ctx, "depth", err)
	}
	if q.deadURL == "" {
		return waiting, 0, nil
	}
	if dead, err = q.count(ctx, q.deadURL); err != nil {
		return 0, 0, failed(ctx, "depth of the dead letters", err)
	}
	return waiting, dead, nil
}

func (q *Queue) count(ctx context.Context, url string) (int, error) {
	out, err := q.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		},
	})
	if err != nil {
		return 0, err
	}
	total := 0
	for name, value := range out.Attributes {
		n, err := strconv.Atoi(value)
		if err != nil {
			return 0, fmt.Errorf("attribute %s is %q", name, value)
		}
		total += n
	}
	return total, nil
}

func seconds(d time.Duration) int32 { return int32(queue.WholeSeconds(d) / time.Second) }

// sendable tells whether SQS could have given out the receipt at all; one
// that cannot even be put into a request would spoil its whole batch.
func sendable(receipt string) bool {
	return receipt != "" && len(receipt) <= 1024 && utf8.ValidString(receipt)
}

// failed names the call. Of a cancelled request callers look for the
// context's error.
func failed(ctx context.Context, call string, err error) error {
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("sqs: %s: %w: %v", call, cause, err)
	}
	return fmt.Errorf("sqs: %s: %w", call, err)
}
