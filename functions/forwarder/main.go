// Command forwarder is the Lambda function that the delivery queue feeds: it
// delivers signed callbacks to the apps.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
)

func main() {
	type handler = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
	assembly.Main(config.Storage|config.Sealing|config.Queue, func(p assembly.Parts) (handler, error) {
		return p.Forwarder().Handle, nil
	})
}
