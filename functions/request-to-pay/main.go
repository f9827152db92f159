// Command request-to-pay is the Lambda function behind
// POST /request-to-pay.
package main

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	parts, err := assembly.FromEnvironment(config.Storage|config.Sealing|config.PayerKey|config.Queue|config.Provider, providers.All()...)
	if err != nil {
		log.Fatal(err)
	}
	api, err := routes.API(parts)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(api.RequestToPay())
}
