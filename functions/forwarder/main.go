// Command forwarder is the Lambda function that the delivery queue feeds: it
// delivers signed callbacks to the apps.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/assembly"
	"momoproxy/shared/config"
)

func main() {
	parts, err := assembly.FromEnvironment(config.Storage | config.Sealing | config.Queue)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(parts.Forwarder().Handle)
}
