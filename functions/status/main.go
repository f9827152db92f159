// Command status is the Lambda function behind
// GET /status/{referenceId}.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
	"momoproxy/shared/httpapi"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Provider, func(p assembly.Parts) (httpapi.Handler, error) {
		api, err := routes.API(p)
		if err != nil {
			return nil, err
		}
		return api.Status(), nil
	}, providers.All()...)
}
