package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"momoproxy/shared/queue"
	"momoproxy/shared/queue/sqs"
)

// failing is SQS with faults that an engine cannot be asked for. It fails an
// entry as faults tells by its body or receipt, and takes the others.
type failing struct {
	sqs.API
	faults map[string]fault
	calls  int
	taken  []string
	down   map[int]error // by call, from 1
}

type fault struct {
	times  int // how often the entry fails
	sender bool
	code   string
}

func (f *failing) fails(id *string, what string) (types.BatchResultErrorEntry, bool) {
	fault, ok := f.faults[what]
	if !ok || fault.times == 0 {
		f.taken = append(f.taken, what)
		return types.BatchResultErrorEntry{}, false
	}
	fault.times--
	f.faults[what] = fault
	return types.BatchResultErrorEntry{Id: id, Code: &fault.code, SenderFault: fault.sender}, true
}

func (f *failing) SendMessageBatch(_ context.Context, in *awssqs.SendMessageBatchInput, _ ...func(*awssqs.Options)) (*awssqs.SendMessageBatchOutput, error) {
	f.calls++
	if err := f.down[f.calls]; err != nil {
		return nil, err
	}
	out := &awssqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		if bad, ok := f.fails(e.Id, *e.MessageBody); ok {
			out.Failed = append(out.Failed, bad)
		}
	}
	return out, nil
}

func (f *failing) DeleteMessageBatch(_ context.Context, in *awssqs.DeleteMessageBatchInput, _ ...func(*awssqs.Options)) (*awssqs.DeleteMessageBatchOutput, error) {
	f.calls++
	out := &awssqs.DeleteMessageBatchOutput{}
	for _, e := range in.Entries {
		if bad, ok := f.fails(e.Id, *e.ReceiptHandle); ok {
			out.Failed = append(out.Failed, bad)
		}
	}
	return out, nil
}

func TestSendInPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults  map[string]fault
		partial *sqs.PartialError
		taken   []string
		calls   int
	}{
		"all taken":          {nil, nil, []string{"a", "b", "c"}, 1},
		"one fails once":     {map[string]fault{"b": {1, false, "InternalError"}}, nil, []string{"a", "c", "b"}, 2},
		"one fails for ever": {map[string]fault{"b": {99, false, "InternalError"}}, &sqs.PartialError{Failed: 1, Total: 3, Code: "InternalError"}, []string{"a", "c"}, 3},
		"one is refused":     {map[string]fault{"b": {99, true, "InvalidMessageContents"}}, &sqs.PartialError{Failed: 1, Total: 3, Code: "InvalidMessageContents"}, []string{"a", "c"}, 1},
		"refused and failed": {map[string]fault{"a": {99, true, "X"}, "c": {1, false, "Y"}}, &sqs.PartialError{Failed: 1, Total: 3, Code: "X"}, []string{"b", "c"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &failing{faults: c.faults}
			err := sqs.New(f, "url").Send(t.Context(), queue.Message{Body: "a"}, queue.Message{Body: "b"}, queue.Message{Body: "c"})
			var partial *sqs.PartialError
			errors.As(err, &partial)
			if d := cmp.Diff(c.partial, partial); d != "" || (err != nil) != (c.partial != nil) {
				t.Errorf("Send = %v\n%s", err, d)
			}
			if d := cmp.Diff(c.taken, f.taken); d != "" || f.calls != c.calls {
				t.Errorf("%d calls, want %d\n%s", f.calls, c.calls, d)
			}
		})
	}
}

// TestSendGoesOn: a batch that fails whole does not keep the next from going.
func TestSendGoesOn(t *testing.T) {
	t.Parallel()
	down := errors.New("connection reset")
	f := &failing{down: map[int]error{2: down}}
	var messages []queue.Message
	for i := range 25 {
		messages = append(messages, queue.Message{Body: fmt.Sprint(i)})
	}
	if err := sqs.New(f, "url").Send(t.Context(), messages...); !errors.Is(err, down) {
		t.Errorf("Send = %v", err)
	}
	if len(f.taken) != 15 || f.calls != 3 {
		t.Errorf("%d messages in %d calls", len(f.taken), f.calls)
	}
}

func TestDeleteInPart(t *testing.T) {
	t.Parallel()
	f := &failing{faults: map[string]fault{
		"expired": {99, true, "InvalidParameterValue"},
		"bad":     {99, true, "ReceiptHandleIsInvalid"},
		"slow":    {1, false, "InternalError"},
	}}
	q := sqs.New(f, "url")
	if err := q.Delete(t.Context(), "expired", "good", "bad", "slow"); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"good", "slow"}, f.taken); d != "" {
		t.Error(d)
	}
	f.faults["locked"] = fault{99, true, "KmsAccessDenied"}
	var partial *sqs.PartialError
	if err := q.Delete(t.Context(), "locked", "good"); !errors.As(err, &partial) {
		t.Errorf("Delete = %v, want a PartialError", err)
	}
}

// TestReceive: what is asked of SQS, and attributes that it leaves out.
func TestReceive(t *testing.T) {
	t.Parallel()
	var api bare
	got, err := sqs.New(&api, "url").Receive(t.Context(), 7, 90*time.Second+1, 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	want := []queue.Received{{ID: "i", Receipt: "r", Body: "b", Receives: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if in := api.in; *in.QueueUrl != "url" || in.MaxNumberOfMessages != 7 || in.VisibilityTimeout != 91 || in.WaitTimeSeconds != 2 {
		t.Errorf("asked for %d messages, visibility %d s, wait %d s", in.MaxNumberOfMessages, in.VisibilityTimeout, in.WaitTimeSeconds)
	}
}

type bare struct {
	sqs.API
	in *awssqs.ReceiveMessageInput
}

func (b *bare) ReceiveMessage(_ context.Context, in *awssqs.ReceiveMessageInput, _ ...func(*awssqs.Options)) (*awssqs.ReceiveMessageOutput, error) {
	b.in = in
	return &awssqs.ReceiveMessageOutput{Messages: []types.Message{{
		MessageId: aws.String("i"), ReceiptHandle: aws.String("r"), Body: aws.String("b"),
	}}}, nil
}
