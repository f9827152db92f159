// Command mom-factura-webhook is the Lambda function behind
// POST /webhooks/mom-factura/{token}.
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
	parts, err := assembly.FromEnvironment(config.Storage|config.Queue|config.Provider, providers.All()...)
	if err != nil {
		log.Fatal(err)
	}
	api, err := routes.API(parts)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(api.Callback("mom-factura"))
}
