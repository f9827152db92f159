// Command health is the Lambda function behind GET and HEAD of /health, and
// behind every route that the API does not have.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/health"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Table|config.Queue, health.Handler)
}
