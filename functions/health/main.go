// Command health is the Lambda function behind GET and HEAD of /health, and
// behind every route that the API does not have.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/health"
	"momoproxy/shared/config"
	"momoproxy/shared/httpapi"
)

func main() {
	assembly.Main(config.Table|config.Queue, func(p assembly.Parts) (httpapi.Handler, error) {
		return health.API(p).HealthAndUnknownRoutes(), nil
	})
}
