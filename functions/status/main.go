// Command status is the Lambda function behind
// GET /status/{referenceId}, POST /payers/check and GET /providers.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Provider, routes.Status, providers.All()...)
}
