package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

// Query implements table.Table. DynamoDB answers with at most 1 MiB, so a
// page may be shorter than its limit.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := ctx.Err(); err != nil {
		return table.Page{}, err
	}
	q, err := table.CheckQuery(q)
	if err != nil {
		return table.Page{}, err
	}
	in, err := t.request(q)
	if err != nil {
		return table.Page{}, err
	}
	page := table.Page{Records: []table.Record{}}
	if q.From != "" && q.To != "" && q.From >= q.To {
		return page, nil
	}
	for {
		// One more than asked for tells whether there is a next page.
		asked := q.Limit + 1 - len(page.Records)
		in.Limit = aws.Int32(int32(asked))
		out, err := t.client.Query(ctx, in, t.repeat(t.retryer))
		if err != nil {
			return table.Page{}, failedRead(ctx, "query", err)
		}
		ended := len(out.LastEvaluatedKey) == 0
		for _, it := range out.Items {
			r, at, err := found(q, it)
			if err != nil {
				return table.Page{}, fmt.Errorf("query: %w", err)
			}
			if q.To != "" && at >= q.To { // see request
				ended = ended || !q.Descending
				continue
			}
			page.Records = append(page.Records, r)
		}
		switch {
		case len(page.Records) > q.Limit:
			page.Records = page.Records[:q.Limit]
			page.Next = table.EncodeCursor(q, page.Records[q.Limit-1])
			return page, nil
		case ended:
			return page, nil
		case len(page.Records) > 0 && len(out.Items) < asked:
			page.Next = table.EncodeCursor(q, page.Records[len(page.Records)-1])
			return page, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// request builds the query. A key condition has one bound or BETWEEN, which
// includes its upper end: Query leaves that out.
func (t *Table) request(q table.Query) (*dynamodb.QueryInput, error) {
	in := &dynamodb.QueryInput{
		TableName:                 t.names.of(q.Space),
		KeyConditionExpression:    aws.String("#p = :p"),
		ExpressionAttributeNames:  map[string]string{"#p": partitionName},
		ExpressionAttributeValues: item{":p": text(q.Partition)},
		ScanIndexForward:          aws.Bool(!q.Descending),
	}
	position := sortName
	if q.Index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = aws.String(q.Index)
		in.ExpressionAttributeNames["#p"] = indexPartition(q.Index)
		position = indexSort(q.Index)
	}
	bound := func(expression string) {
		*in.KeyConditionExpression += expression
		in.ExpressionAttributeNames["#s"] = position
	}
	switch {
	case q.From != "" && q.To != "":
		bound(" AND #s BETWEEN :from AND :to")
	case q.From != "":
		bound(" AND #s >= :from")
	case q.To != "":
		bound(" AND #s < :to")
	}
	if q.From != "" {
		in.ExpressionAttributeValues[":from"] = text(q.From)
	}
	if q.To != "" {
		in.ExpressionAttributeValues[":to"] = text(q.To)
	}
	if q.After == "" {
		return in, nil
	}
	p, err := table.DecodeCursor(q)
	if err != nil {
		return nil, err
	}
	if q.Index == "" {
		in.ExclusiveStartKey = keyItem(table.Key{Partition: q.Partition, Sort: p.Sort})
	} else {
		in.ExclusiveStartKey = keyItem(p.Key)
		in.ExclusiveStartKey[indexPartition(q.Index)] = text(q.Partition)
		in.ExclusiveStartKey[indexSort(q.Index)] = text(p.Sort)
	}
	return in, nil
}

// found reads an item of the answer, and its place in the walk.
func found(q table.Query, it item) (table.Record, string, error) {
	sort, ok := it[sortName].(*types.AttributeValueMemberS)
	partition, also := it[partitionName].(*types.AttributeValueMemberS)
	if !ok || !also {
		return table.Record{}, "", fmt.Errorf("an item of %s/%s has no key", q.Space, q.Partition)
	}
	k := table.Key{Space: q.Space, Partition: partition.Value, Sort: sort.Value}
	if q.Index == "" {
		r, err := decode(k, it)
		return r, k.Sort, err
	}
	at, ok := it[indexSort(q.Index)].(*types.AttributeValueMemberS)
	if !ok {
		return table.Record{}, "", fmt.Errorf("%s has no entry in %s", k, q.Index)
	}
	entry := table.IndexKey{Partition: q.Partition, Sort: at.Value}
	return table.Record{Key: k, Index: map[string]table.IndexKey{q.Index: entry}}, at.Value, nil
}
