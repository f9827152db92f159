// Package restore is what DynamoDB's restore to a point in time leaves to do:
// a restored table has neither time to live, point-in-time recovery, tags nor
// deletion protection, and lacks the payments made after the moment. It also
// copies tables to another region or account.
package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// expires is the attribute that the tables' time to live goes by.
const expires = "expires_at"

// Settings gives a restored or copied table what the old one has, and checks
// it. It can be repeated.
func Settings(ctx context.Context, oldTable, newTable Table) error {
	old, client, restored := oldTable.Name, newTable.Client, newTable.Name
	from, err := oldTable.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &old})
	if err != nil {
		return fmt.Errorf("old table %s: %w", old, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client)
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &restored}, time.Hour); err != nil {
		return fmt.Errorf("restored table %s: %w", restored, err)
	}
	to, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &restored})
	if err != nil {
		return fmt.Errorf("restored table %s: %w", restored, err)
	}
	live, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &restored})
	if err != nil {
		return fmt.Errorf("time to live of %s: %w", restored, err)
	}
	if d := live.TimeToLiveDescription; d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		if _, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName:               &restored,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(expires), Enabled: aws.Bool(true)},
		}); err != nil {
			return fmt.Errorf("time to live of %s: %w", restored, err)
		}
	}
	if _, err := client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        &restored,
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	}); err != nil {
		return fmt.Errorf("point-in-time recovery of %s: %w", restored, err)
	}
	if aws.ToBool(from.Table.DeletionProtectionEnabled) {
		if _, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &restored, DeletionProtectionEnabled: aws.Bool(true)}); err != nil {
			return fmt.Errorf("deletion protection of %s: %w", restored, err)
		}
	}
	tags, err := tagsOf(ctx, oldTable.Client, from.Table.TableArn)
	if err != nil {
		return err
	}
	if len(tags) > 0 {
		if _, err := client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: to.Table.TableArn, Tags: tags}); err != nil {
			return fmt.Errorf("tags of %s: %w", restored, err)
		}
	}
	return Check(ctx, oldTable, newTable)
}

// Check says in what a restored table differs from the old one.
func Check(ctx context.Context, oldTable, newTable Table) error {
	old, client, restored := oldTable.Name, newTable.Client, newTable.Name
	from, err := oldTable.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &old})
	if err != nil {
		return err
	}
	to, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &restored})
	if err != nil {
		return err
	}
	var faults []error
	fault := func(what string) { faults = append(faults, fmt.Errorf("%s lacks %s", restored, what)) }
	live, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &restored})
	if err != nil {
		return err
	}
	if d := live.TimeToLiveDescription; d == nil || d.TimeToLiveStatus != types.TimeToLiveStatusEnabled && d.TimeToLiveStatus != types.TimeToLiveStatusEnabling || aws.ToString(d.AttributeName) != expires {
		fault("its time to live")
	}
	backups, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &restored})
	if err != nil {
		return err
	}
	if p := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription; p == nil || p.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
		fault("point-in-time recovery")
	}
	if aws.ToBool(from.Table.DeletionProtectionEnabled) && !aws.ToBool(to.Table.DeletionProtectionEnabled) {
		fault("deletion protection")
	}
	want, err := tagsOf(ctx, oldTable.Client, from.Table.TableArn)
	if err != nil {
		return err
	}
	got, err := tagsOf(ctx, client, to.Table.TableArn)
	if err != nil {
		return err
	}
	for _, tag := range want {
		if !slices.ContainsFunc(got, func(g types.Tag) bool { return *g.Key == *tag.Key && *g.Value == *tag.Value }) {
			fault("the tag " + *tag.Key)
		}
	}
	for _, index := range from.Table.GlobalSecondaryIndexes {
		if !slices.ContainsFunc(to.Table.GlobalSecondaryIndexes, func(g types.GlobalSecondaryIndexDescription) bool { return *g.IndexName == *index.IndexName }) {
			fault("the index " + *index.IndexName)
		}
	}
	return errors.Join(faults...)
}

// tagsOf leaves out CloudFormation's own, which nobody may set.
func tagsOf(ctx context.Context, client *dynamodb.Client, arn *string) ([]types.Tag, error) {
	out, err := client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil {
		return nil, fmt.Errorf("tags of %s: %w", *arn, err)
	}
	return slices.DeleteFunc(out.Tags, func(t types.Tag) bool { return len(*t.Key) > 4 && (*t.Key)[:4] == "aws:" }), nil
}
