// Package dynamo is the table port in two DynamoDB tables, one for each
// space. Attributes are stored natively, beside those of the adapter: pk and
// sk (the key), version, expires_at (time to live), <index>_pk and
// <index>_sk, and _write, which names the write that made the record.
//
// It needs dynamodb:GetItem, BatchGetItem, Query, PutItem, DeleteItem and
// ConditionCheckItem, on the audit table GetItem, Query, PutItem and
// ConditionCheckItem only.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"momoproxy/shared/table"
)

// Names are the tables' names.
type Names struct{ Main, Audit string }

// of names the table of a space.
func (n Names) of(s table.Space) *string {
	if s == table.Audit {
		return &n.Audit
	}
	return &n.Main
}

// Table is the adapter. Make it with New.
type Table struct {
	client  *dynamodb.Client
	names   Names
	retryer *retry.Standard
}

var _ table.Table = (*Table)(nil)

// New returns the table. The client's region, credentials, endpoint and HTTP
// timeouts are used; how often a request is repeated is decided here, because
// what a repeated write means is decided here too. The client's own request
// timeout should be a few seconds: a lost answer is then found out in time.
func New(client *dynamodb.Client, names Names) *Table {
	return &Table{
		client: client,
		names:  names,
		retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = attempts
			o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
				return pause(attempt), nil
			})
		}),
	}
}

// Get implements table.Table. A read costs a strongly consistent one.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Record, error) {
	if err := ctx.Err(); err != nil {
		return table.Record{}, err
	}
	if err := table.CheckKey(k); err != nil {
		return table.Record{}, err
	}
	r, err := t.read(ctx, k)
	if err != nil {
		return table.Record{}, err
	}
	if r.Version == 0 {
		return table.Record{}, table.ErrNotFound
	}
	return r, nil
}

// read returns the record; its version is 0 when there is none.
func (t *Table) read(ctx context.Context, k table.Key) (table.Record, error) {
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      t.names.of(k.Space),
		Key:            keyItem(k),
		ConsistentRead: aws.Bool(true),
	}, t.repeat(t.retryer))
	if err != nil {
		return table.Record{}, failedRead(ctx, "get "+k.String(), err)
	}
	return decode(k, out.Item)
}

// repeat makes a request use the retryer.
func (t *Table) repeat(r aws.RetryerV2) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) { o.Retryer = r }
}

// failedRead gives a read's error its class.
func failedRead(ctx context.Context, what string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case errorCode(err) == "ValidationException":
		return fmt.Errorf("%s: %w: %w", what, table.ErrInvalid, err)
	}
	return fmt.Errorf("%s: %w: %w", what, table.ErrUnavailable, err)
}

// errorCode is the service's name for the error, empty when it gave none.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// canHaveTakenEffect says of a failed attempt to write whether it can have taken effect
// all the same. An answer of the 400s is the service's word that it did not;
// a connection never made did not; anything else (5xx, a timeout, a reset, an
// answer cut short) can have.
func canHaveTakenEffect(err error) bool {
	switch errorCode(err) {
	case "TransactionInProgressException", "IdempotentParameterMismatchException",
		"RequestTimeout", "RequestTimeoutException":
		return true
	}
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 {
		status := answer.HTTPStatusCode()
		return status < 400 || status > 499 || status == 408
	}
	var resolve *net.DNSError
	var dial *net.OpError
	if errors.As(err, &resolve) || errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	return true
}
