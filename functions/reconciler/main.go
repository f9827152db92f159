// Command reconciler is the Lambda function on a one-minute schedule: it asks
// providers about open payments, enqueues overdue deliveries again, probes
// endpoints that do not answer, and releases what was held for those that
// recovered. Each run ends with its heartbeat.
package main

import (
	"momoproxy/shared/assembly"
	"momoproxy/shared/assembly/payments"
	"momoproxy/shared/assembly/providers"
	"momoproxy/shared/config"
)

func main() {
	assembly.Main(config.Storage|config.Sealing|config.Queue|config.Provider, func(p assembly.Parts) (assembly.Asking, error) {
		gateway, err := payments.Gateway(p)
		return assembly.Asked(payments.Scheduled(p.Sweeper(), gateway, p.Beat)), err
	}, providers.All()...)
}
