package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"momoproxy/shared/ledger"
	"momoproxy/shared/table/dynamo"
)

// Lost is a payment that the old audit table knows and the restored tables do
// not: its payer may have paid. What is known of it are its exchanges.
type Lost struct {
	Reference string
	Trail     []ledger.AuditRecord
}

// Missing finds the payments that have audit records since the moment and are
// not in the restored main table. It scans the old audit table once.
func Missing(ctx context.Context, client *dynamodb.Client, old dynamo.Names, restoredMain string, since time.Time) ([]Lost, error) {
	const prefix = "payment#"
	trails := ledger.New(dynamo.New(client, old), nil, ledger.Options{})
	restored := ledger.New(dynamo.New(client, dynamo.Names{Main: restoredMain, Audit: old.Audit}), nil, ledger.Options{})
	seen := map[string]bool{}
	var lost []Lost
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{
		TableName: &old.Audit, ProjectionExpression: aws.String("pk"),
		FilterExpression: aws.String("begins_with(pk, :payment) AND sk >= :since"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":payment": &types.AttributeValueMemberS{Value: prefix},
			":since":   &types.AttributeValueMemberS{Value: since.UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05.000Z")},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", old.Audit, err)
		}
		for _, item := range page.Items {
			pk, _ := item["pk"].(*types.AttributeValueMemberS)
			if pk == nil {
				continue
			}
			reference := strings.TrimPrefix(pk.Value, prefix)
			if seen[reference] {
				continue
			}
			seen[reference] = true
			_, err := restored.Payment(ctx, reference)
			if err == nil {
				continue
			}
			if !errors.Is(err, ledger.ErrNotFound) {
				return nil, err
			}
			trail, err := trails.AuditTrail(ctx, reference)
			if err != nil {
				return nil, err
			}
			lost = append(lost, Lost{reference, trail})
		}
	}
	return lost, nil
}
