// Command reconciler is the Lambda function on a one-minute schedule: it asks
// providers about open payments, enqueues overdue deliveries again, probes
// endpoints that do not answer, and releases what was held for those that
// recovered. Each run ends with its heartbeat.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
)

func main() {
	parts, err := assembly.FromEnvironment(config.Storage|config.Sealing|config.Queue|config.Provider, providers.All()...)
	if err != nil {
		log.Fatal(err)
	}
	gateway, err := payments.Gateway(parts)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(assembly.Scheduled(parts.Sweeper(), gateway, parts.Beat))
}
