// Command mom-factura-webhook is the Lambda function behind
// POST /webhooks/mom-factura/{token}.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
	"momoproxy/shared/httpapi"
)

func main() {
	assembly.Main(config.Storage|config.Queue|config.Provider, func(p assembly.Parts) (httpapi.Handler, error) {
		api, err := routes.API(p)
		if err != nil {
			return nil, err
		}
		return api.Callback("mom-factura"), nil
	}, providers.All()...)
}
