package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"momoproxy/shared/queue"
)

const (
	batch  = 10 // SQS's most entries of one request
	rounds = 3  // of one batch, for entries that SQS failed by its own fault
)

// PartialError reports entries of a batch that SQS did not take.
type PartialError struct {
	Failed, Total int
	Code          string // SQS's code for the first of them
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("%d of %d entries failed: %s", e.Failed, e.Total, e.Code)
}

// Send implements queue.Queue. A batch that fails does not keep the others
// from being sent; errors are joined. One that SQS refuses in part is a
// *PartialError.
func (q *Queue) Send(ctx context.Context, messages ...queue.Message) error {
	if err := queue.CheckSend(messages); err != nil {
		return err
	}
	var faults []error
	for chunk := range slices.Chunk(messages, batch) {
		if err := q.sendBatch(ctx, chunk); err != nil {
			faults = append(faults, failed(ctx, "send", err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(faults...)
}

func (q *Queue) sendBatch(ctx context.Context, messages []queue.Message) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		entries[i] = types.SendMessageBatchRequestEntry{
			Id:           aws.String(strconv.Itoa(i)),
			MessageBody:  &m.Body,
			DelaySeconds: seconds(m.Delay),
		}
		if m.Group != "" {
			// On a standard queue: a fair-queue tenant, not an order.
			entries[i].MessageGroupId = &m.Group
		}
	}
	return inRounds(entries, func(entries []types.SendMessageBatchRequestEntry) ([]types.BatchResultErrorEntry, error) {
		out, err := q.api.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	}, func(e types.SendMessageBatchRequestEntry) string { return *e.Id })
}

// Delete implements queue.Queue.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if err := ctx.Err(); err != nil {
		return failed(ctx, "delete", err)
	}
	var good []string
	seen := map[string]bool{}
	for _, r := range receipts {
		if sendable(r) && !seen[r] {
			seen[r] = true
			good = append(good, r)
		}
	}
	var faults []error
	for chunk := range slices.Chunk(good, batch) {
		if err := q.deleteBatch(ctx, chunk); err != nil {
			faults = append(faults, failed(ctx, "delete", err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(faults...)
}

func (q *Queue) deleteBatch(ctx context.Context, receipts []string) error {
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receipts))
	for i, r := range receipts {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &r}
	}
	return inRounds(entries, func(entries []types.DeleteMessageBatchRequestEntry) ([]types.BatchResultErrorEntry, error) {
		out, err := q.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(out.Failed, noLongerGood), nil
	}, func(e types.DeleteMessageBatchRequestEntry) string { return *e.Id })
}

// noLongerGood recognises an expired or unknown receipt handle. SQS gives
// the first code for one it cannot read, the second for one that expired
// (DeleteMessageBatch in the SQS API reference).
func noLongerGood(e types.BatchResultErrorEntry) bool {
	switch aws.ToString(e.Code) {
	case "ReceiptHandleIsInvalid", "InvalidParameterValue":
		return true
	}
	return false
}

// inRounds calls SQS with the entries, and again with those that it failed by
// its own fault: the SDK repeats failed requests, not failed entries.
func inRounds[E any](entries []E, call func([]E) ([]types.BatchResultErrorEntry, error), id func(E) string) error {
	total := len(entries)
	var refused []types.BatchResultErrorEntry
	for round := 1; ; round++ {
		bad, err := call(entries)
		if err != nil {
			return err
		}
		again := map[string]bool{}
		for _, e := range bad {
			if e.SenderFault || round == rounds {
				refused = append(refused, e)
			} else {
				again[aws.ToString(e.Id)] = true
			}
		}
		entries = slices.DeleteFunc(entries, func(e E) bool { return !again[id(e)] })
		if len(entries) == 0 {
			break
		}
	}
	if len(refused) > 0 {
		return &PartialError{Failed: len(refused), Total: total, Code: aws.ToString(refused[0].Code)}
	}
	return nil
}
