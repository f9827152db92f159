// Command payments is the Lambda function behind GET /payments,
// GET /payments/{referenceId} and POST /payments/{referenceId}/resend-callback.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/selfservice"
	"momoproxy/shared/config"
)

func main() {
	parts, err := assembly.FromEnvironment(config.Storage | config.Queue)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(selfservice.API(parts).Payments())
}
