package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/table"
)

// Schema is what the adapter needs of its tables: main first, then audit.
// The attribute expires_at is their time to live, which has a request of its
// own (see Create). The deployed tables are made by the template.
func Schema(names Names) []*dynamodb.CreateTableInput {
	main := schemaOf(names.Main)
	for _, index := range table.Indexes() {
		main.AttributeDefinitions = append(main.AttributeDefinitions,
			textAttribute(indexPartition(index)), textAttribute(indexSort(index)))
		main.GlobalSecondaryIndexes = append(main.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(index),
			KeySchema:  keySchema(indexPartition(index), indexSort(index)),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		})
	}
	return []*dynamodb.CreateTableInput{main, schemaOf(names.Audit)}
}

func schemaOf(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{textAttribute(partitionName), textAttribute(sortName)},
		KeySchema:            keySchema(partitionName, sortName),
	}
}

func textAttribute(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

// Create makes the tables of Schema that are not there, waits until all can
// be used and turns their time to live on. For tests and local use.
func Create(ctx context.Context, client *dynamodb.Client, names Names) error {
	for _, in := range Schema(names) {
		name := aws.ToString(in.TableName)
		_, err := client.CreateTable(ctx, in)
		var exists *types.ResourceInUseException
		if err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("create table %s: %w", name, err)
		}
		waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = 50*time.Millisecond, 5*time.Second
		})
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, 2*time.Minute); err != nil {
			return fmt.Errorf("wait for table %s: %w", name, err)
		}
		now, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: in.TableName})
		if err != nil {
			return fmt.Errorf("time to live of table %s: %w", name, err)
		}
		if d := now.TimeToLiveDescription; d != nil && d.TimeToLiveStatus != types.TimeToLiveStatusDisabled && d.TimeToLiveStatus != "" {
			continue
		}
		_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: in.TableName,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{
				AttributeName: aws.String(expiresName), Enabled: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("time to live of table %s: %w", name, err)
		}
	}
	return nil
}
