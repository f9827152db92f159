package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

// GetMany implements table.Table by BatchGetItem. What an answer leaves
// unprocessed, for its size (16 MB; MaxKeys of the largest records take three
// answers) or because the table is throttled, is asked for again after a pause,
// as often as any request is; then it gives ErrUnavailable. The service returns
// the unprocessed keys with their ConsistentRead.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
func (t *Table) GetMany(ctx context.Context, keys ...table.Key) ([]table.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := table.CheckKeys(keys); err != nil {
		return nil, err
	}
	found := make(map[table.Key]table.Record, len(keys))
	ask := map[string]types.KeysAndAttributes{}
	for _, k := range keys {
		if _, twice := found[k]; twice { // BatchGetItem refuses it
			continue
		}
		found[k] = table.Record{Key: k, Attributes: map[string]any{}, Index: map[string]table.IndexKey{}}
		name := *t.names.of(k.Space)
		of := ask[name]
		of.ConsistentRead, of.Keys = aws.Bool(true), append(of.Keys, keyItem(k))
		ask[name] = of
	}
	for try := 1; len(ask) > 0; try++ {
		out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: ask}, t.repeat(t.retryer))
		if err != nil {
			return nil, failedRead(ctx, "get many", err)
		}
		for _, space := range []table.Space{table.Main, table.Audit} {
			for _, it := range out.Responses[*t.names.of(space)] {
				k := keyOf(space, it)
				if _, asked := found[k]; !asked {
					return nil, fmt.Errorf("get many: %s was not asked for", k)
				}
				if found[k], err = decode(k, it); err != nil {
					return nil, fmt.Errorf("get many: %w", err)
				}
			}
		}
		if ask = out.UnprocessedKeys; len(ask) == 0 {
			break
		}
		if try == attempts {
			return nil, fmt.Errorf("get many: %w: keys are unprocessed after %d requests", table.ErrUnavailable, try)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("get many: %w", ctx.Err())
		case <-time.After(pause(try)):
		}
	}
	records := make([]table.Record, len(keys))
	for i, k := range keys {
		records[i] = found[k]
	}
	return records, nil
}

// keyOf reads the key of an item that was answered.
func keyOf(space table.Space, it item) table.Key {
	partition, _ := it[partitionName].(*types.AttributeValueMemberS)
	sort, _ := it[sortName].(*types.AttributeValueMemberS)
	if partition == nil || sort == nil {
		return table.Key{Space: space}
	}
	return table.Key{Space: space, Partition: partition.Value, Sort: sort.Value}
}
