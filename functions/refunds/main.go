// Command refunds is the Lambda function behind
// POST /payments/{referenceId}/refunds. It alone, beside the reconciler, reads
// the credentials that give money back.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/assembly/routes"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Payouts, routes.Refunds, providers.All()...)
}
