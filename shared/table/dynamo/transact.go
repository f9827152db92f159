package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

func (w *writing) transact(ctx context.Context) error {
	items := make([]types.TransactWriteItem, len(w.ops))
	for i, op := range w.ops {
		items[i] = w.part(op)
	}
	_, err := w.table.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems:      items,
		ClientRequestToken: aws.String(w.name),
	}, w.table.repeat(w))
	var cancelled *types.TransactionCanceledException
	switch {
	case err == nil:
		return nil
	case errors.As(err, &cancelled):
		return w.cancelled(ctx, cancelled)
	case errorCode(err) == "TransactionConflictException":
		return errContended
	}
	return w.failed(ctx, err)
}

func (w *writing) part(op table.Op) types.TransactWriteItem {
	r := op.Record
	expression, names, values := condition(r.Version)
	const allOld = types.ReturnValuesOnConditionCheckFailureAllOld
	switch op.Kind {
	case table.OpPut:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: w.table.names.of(r.Space), Item: encode(r, w.name),
			ConditionExpression: expression, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: allOld}}
	case table.OpDelete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: w.table.names.of(r.Space), Key: keyItem(r.Key),
			ConditionExpression: expression, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
			ReturnValuesOnConditionCheckFailure: allOld}}
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: w.table.names.of(r.Space), Key: keyItem(r.Key),
		ConditionExpression: expression, ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		ReturnValuesOnConditionCheckFailure: allOld}}
}

// cancelled reads the reasons, one for each op. A failed condition is final,
// whatever else there is; rivals and throttling pass; anything else does not.
func (w *writing) cancelled(ctx context.Context, c *types.TransactionCanceledException) error {
	var conflicts []table.OpConflict
	var contended bool
	var invalid, other string
	for i, reason := range c.CancellationReasons {
		if i >= len(w.ops) {
			break
		}
		op := w.ops[i]
		switch code := aws.ToString(reason.Code); code {
		case "", "None":
		case "ConditionalCheckFailed":
			if op.Kind == table.OpPut && madeBy(reason.Item, w.name) {
				// An earlier attempt stored this record, and with it all.
				return nil
			}
			current, err := decode(op.Record.Key, reason.Item)
			if err != nil {
				return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
			}
			conflicts = append(conflicts, table.OpConflict{Op: i, Key: op.Record.Key, Current: current})
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			contended = true
		case "ValidationError", "ItemCollectionSizeLimitExceeded":
			invalid = fmt.Sprintf("op %d: %s: %s", i, code, aws.ToString(reason.Message))
		default:
			other = fmt.Sprintf("op %d: %s: %s", i, code, aws.ToString(reason.Message))
		}
	}
	switch {
	case conflicts != nil:
		return &table.ConflictError{Ops: conflicts}
	case invalid != "":
		return fmt.Errorf("write: %w: %s", table.ErrInvalid, invalid)
	case contended:
		return errContended
	case other != "":
		return fmt.Errorf("write: %w: %s", table.ErrUnavailable, other)
	}
	return w.failed(ctx, c)
}
