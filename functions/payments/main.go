// Command payments is the Lambda function behind GET /payments,
// GET /payments/{referenceId}, POST /payments/{referenceId}/resend-callback,
// GET /events and POST /events/test.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/selfservice"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Queue, selfservice.Handler)
}
