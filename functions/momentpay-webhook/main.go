// Command momentpay-webhook is the Lambda function behind
// POST /webhooks/momentpay.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Queue|config.Provider, routes.Callbacks("momentpay"), providers.All()...)
}
