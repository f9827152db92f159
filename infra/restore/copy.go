package restore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is a table of an AWS account in a region.
type Table struct {
	Client *dynamodb.Client
	Name   string
}

// Copied is what Copy did, in records.
type Copied struct {
	Written int `json:"written"`
	Same    int `json:"same"` // the target had this version, or a newer one
}

// parallel is how many records are written at once: some thousands a second.
const parallel = 20

// Copy writes each record of a table into another one, if that has no version
// of it or an older one. So it can be repeated: first while the source is in
// use, and once more when nobody writes there. Copy calls seen, one call at a
// time, with how many records were read.
func Copy(ctx context.Context, from, to Table, seen func(int)) (Copied, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	records := make(chan map[string]types.AttributeValue)
	var (
		copied  Copied
		mu      sync.Mutex
		writers sync.WaitGroup
	)
	for range parallel {
		writers.Go(func() {
			for record := range records {
				written, err := write(ctx, to, record)
				if err != nil {
					cancel(fmt.Errorf("write to %s: %w", to.Name, err))
					continue // empties the channel
				}
				mu.Lock()
				if written {
					copied.Written++
				} else {
					copied.Same++
				}
				mu.Unlock()
			}
		})
	}
	read := 0
	pages := dynamodb.NewScanPaginator(from.Client, &dynamodb.ScanInput{TableName: &from.Name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() && ctx.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			cancel(fmt.Errorf("scan %s: %w", from.Name, err))
			break
		}
		for _, record := range page.Items {
			records <- record
		}
		read += len(page.Items)
		seen(read)
	}
	close(records)
	writers.Wait()
	return copied, context.Cause(ctx)
}

// write says whether the record was written.
func write(ctx context.Context, to Table, record map[string]types.AttributeValue) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	_, err := to.Client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &to.Name, Item: record,
		ConditionExpression:       aws.String("attribute_not_exists(pk) OR version < :version"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":version": record["version"]},
	})
	var newer *types.ConditionalCheckFailedException
	if errors.As(err, &newer) {
		return false, nil
	}
	return err == nil, err
}
