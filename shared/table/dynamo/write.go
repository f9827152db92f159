package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	random "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

const (
	// attempts is how often one request is sent, when it fails in a way
	// that a repetition may cure.
	attempts = 5
	// patience is how often a write is tried that another's transaction on
	// the same records turns away.
	patience = 12
)

// pause is how long to wait before the next try, the first being 1: up to
// 20 ms, then 40, 80, to 500 ms. The jitter keeps rivals from meeting again.
func pause(try int) time.Duration {
	limit := 20 * time.Millisecond << min(max(try-1, 0), 5)
	return random.N(min(limit, 500*time.Millisecond))
}

// writing is one Write over all its tries.
type writing struct {
	*retry.Standard // decides about repeating a request
	table           *Table
	ops             []table.Op
	// name marks the records of this Write and is the transaction's
	// ClientRequestToken, on every try the same.
	name string
	// doubtful is set once an attempt failed that can have taken effect.
	doubtful bool
}

// IsErrorRetryable is asked by the SDK after every failed attempt.
func (w *writing) IsErrorRetryable(err error) bool {
	w.doubtful = w.doubtful || canHaveTakenEffect(err)
	return w.Standard.IsErrorRetryable(err)
}

// errContended: turned away by another transaction, certainly not written.
var errContended = errors.New("contended")

// Write implements table.Table.
//
// A lone Put is a conditional PutItem, at half a transaction's price. The SDK
// repeats it when the answer is lost, and then the condition fails on what
// the first attempt stored: such a record carries this Write's name. A lone
// Delete leaves nothing behind to tell whose it was, so it is sent as a
// transaction, which DynamoDB itself recognises by its token for 10 minutes.
// What a lone Put cannot notice: its new record, the answer lost, was deleted
// by another before the repetition, which then makes it again.
func (t *Table) Write(ctx context.Context, ops ...table.Op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := table.CheckWrite(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return nil
	}
	if len(ops) == 1 && ops[0].Kind == table.OpCheck {
		return t.check(ctx, ops[0])
	}
	w := &writing{Standard: t.retryer, table: t, ops: ops, name: rand.Text()}
	send := w.transact
	if len(ops) == 1 && ops[0].Kind == table.OpPut {
		send = w.put
	}
	for try := 1; ; try++ {
		err := send(ctx)
		if !errors.Is(err, errContended) {
			return err
		}
		if try == patience {
			return w.failed(ctx, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("write: %w", ctx.Err())
		case <-time.After(pause(try)):
		}
	}
}

// check compares a version: a read, strongly consistent, says as much as a
// transaction of one check would.
func (t *Table) check(ctx context.Context, op table.Op) error {
	current, err := t.read(ctx, op.Record.Key)
	if err != nil {
		return err
	}
	if current.Version != op.Record.Version {
		return &table.ConflictError{Ops: []table.OpConflict{{Key: op.Record.Key, Current: current}}}
	}
	return nil
}

// condition holds a write to the version that was read.
func condition(version int64) (expression *string, names map[string]string, values item) {
	if version == 0 {
		return aws.String("attribute_not_exists(#k)"), map[string]string{"#k": partitionName}, nil
	}
	return aws.String("#v = :v"), map[string]string{"#v": versionName}, item{":v": number(version)}
}

func (w *writing) put(ctx context.Context) error {
	r := w.ops[0].Record
	expression, names, values := condition(r.Version)
	_, err := w.table.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                           w.table.names.of(r.Space),
		Item:                                encode(r, w.name),
		ConditionExpression:                 expression,
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, w.table.repeat(w))
	var refused *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		if madeBy(refused.Item, w.name) {
			return nil
		}
		if w.doubtful {
			// An earlier attempt may have been stored and replaced since:
			// calling that a conflict could have the caller write twice.
			return fmt.Errorf("put %s: outcome unknown: an answer was lost and the record has changed since", r.Key)
		}
		current, err := decode(r.Key, refused.Item)
		if err != nil {
			return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
		}
		return &table.ConflictError{Ops: []table.OpConflict{{Key: r.Key, Current: current}}}
	case errorCode(err) == "TransactionConflictException":
		return errContended
	}
	return w.failed(ctx, err)
}

// failed gives an error its class: certain that nothing was written, or not.
func (w *writing) failed(ctx context.Context, err error) error {
	switch {
	case w.doubtful:
		return fmt.Errorf("write: outcome unknown: %w", err)
	case ctx.Err() != nil:
		return fmt.Errorf("write: %w", ctx.Err())
	case canHaveTakenEffect(err) && !errors.Is(err, errContended):
		return fmt.Errorf("write: outcome unknown: %w", err)
	case errorCode(err) == "ValidationException":
		return fmt.Errorf("write: %w: %w", table.ErrInvalid, err)
	}
	return fmt.Errorf("write: %w: %w", table.ErrUnavailable, err)
}
