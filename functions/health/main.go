// Command health is the Lambda function behind GET and HEAD of /health, and
// behind every route that the API does not have.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/health"
	"momoproxy/shared/config"
)

func main() {
	parts, err := assembly.FromEnvironment(config.Table | config.Queue)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(health.API(parts).HealthAndUnknownRoutes())
}
