// Package assembly builds the production objects out of configuration and
// ports. It exists so that each function's main stays a few lines and a test
// builds exactly what production runs.
package assembly

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"momoproxy/shared/config"
	"momoproxy/shared/queue"
	"momoproxy/shared/queue/sqs"
	"momoproxy/shared/table"
	"momoproxy/shared/table/dynamo"
)

// AWS builds an aws.Config by hand from the environment that Lambda sets:
// region and credentials in variables. The SDK's own loader would link the
// code of every other credential source and read files that are not there.
func AWS(getenv func(string) string) aws.Config {
	return aws.Config{
		Region:      getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(environmentCredentials(getenv)),
		HTTPClient:  awsHTTPClient(),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 4
				o.MaxBackoff = 500 * time.Millisecond
			})
		},
	}
}

func environmentCredentials(getenv func(string) string) func(context.Context) (aws.Credentials, error) {
	return func(context.Context) (aws.Credentials, error) {
		c := aws.Credentials{
			AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment",
		}
		if !c.HasKeys() {
			return aws.Credentials{}, errors.New("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set")
		}
		return c, nil
	}
}

// awsHTTPClient gives up on a connection long before a function's timeout,
// so that a retry still fits.
func awsHTTPClient() *http.Client {
	return &http.Client{
		Timeout: 6 * time.Second,
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   3 * time.Second,
			ResponseHeaderTimeout: 4 * time.Second,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   50,
			IdleConnTimeout:       60 * time.Second,
			ForceAttemptHTTP2:     false,
		},
	}
}

// DynamoDB is the table port over DynamoDB. AWS_ENDPOINT_URL_DYNAMODB names
// another endpoint than the region's.
func DynamoDB(a aws.Config, c config.Config, getenv func(string) string) table.Table {
	client := dynamodb.NewFromConfig(a, func(o *dynamodb.Options) {
		if url := getenv("AWS_ENDPOINT_URL_DYNAMODB"); url != "" {
			o.BaseEndpoint = aws.String(url)
		}
		o.AccountIDEndpointMode = aws.AccountIDEndpointModeDisabled
	})
	return dynamo.New(client, dynamo.Names{Main: c.TableName, Audit: c.AuditTableName})
}

// SQS is the queue port over SQS. AWS_ENDPOINT_URL_SQS as above.
func SQS(a aws.Config, c config.Config, getenv func(string) string) queue.Queue {
	client := awssqs.NewFromConfig(a, func(o *awssqs.Options) {
		if url := getenv("AWS_ENDPOINT_URL_SQS"); url != "" {
			o.BaseEndpoint = aws.String(url)
		}
	})
	if c.DeadLetterQueueURL != "" {
		return sqs.New(client, c.QueueURL, c.DeadLetterQueueURL)
	}
	return sqs.New(client, c.QueueURL)
}
