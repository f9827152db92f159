// Command mtn-callback is the Lambda function behind
// POST and PUT /callback, with and without reference and token.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Provider, routes.Callbacks("mtn"), providers.All()...)
}
