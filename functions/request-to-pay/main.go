// Command request-to-pay is the Lambda function behind
// POST /request-to-pay.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.PayerKey|config.Queue|config.Provider, routes.RequestToPay, providers.All()...)
}
